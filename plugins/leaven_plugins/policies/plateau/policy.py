"""Plateau: less, whenever a measured value has not become better for a while."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from leaven.errors import ParameterError
from leaven_plugins.policies.checks import check_choice, check_not_negative, check_share

_STATE = ("best", "bad_epochs", "cooling", "reductions")


class Plateau:
    """``base * factor ** n``, where ``n`` grows by one each time that ``patience`` is over.

    It does what ``torch.optim.lr_scheduler.ReduceLROnPlateau`` does, of which the names are. Without :meth:`observe` it
    is the base value.

    Args:
        mode: whether ``"min"`` or ``"max"`` of what is observed is better.
        factor: what the value is multiplied with, above 0 and below 1.
        patience: how many epochs without a better value are put up with; the next one reduces.
        threshold: how much better counts as better.
        threshold_mode: ``"rel"``, ``threshold`` times the best value, or ``"abs"``.
        cooldown: for how many epochs after a reduction nothing is counted.
        min_value: the lowest value; a base value below it stays as it is.
        last_epoch: observations up to this epoch are not looked at.

    Raises:
        ParameterError: a value is out of range.
    """

    def __init__(
        self,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_value: float = 0.0,
        last_epoch: float = 0.0,
    ) -> None:
        check_choice("plateau", "mode", mode, ("min", "max"))
        check_choice("plateau", "threshold_mode", threshold_mode, ("rel", "abs"))
        check_share("plateau", factor=factor)
        if factor in (0, 1):
            raise ParameterError(f"plateau: factor={factor}: must be above 0 and below 1")
        check_not_negative("plateau", patience=patience, threshold=threshold, cooldown=cooldown)
        check_not_negative("plateau", min_value=min_value, last_epoch=last_epoch)
        self._sign = 1 if mode == "min" else -1
        self._factor = factor
        self._patience = patience
        self._threshold = threshold
        self._is_relative = threshold_mode == "rel"
        self._cooldown = cooldown
        self._min_value = min_value
        self._last_epoch = last_epoch
        self.best = self._sign * math.inf
        self.bad_epochs = 0
        self.cooling = 0
        self.reductions = 0

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after all that was observed so far."""
        return float(max(base * self._factor**self.reductions, min(self._min_value, base)))

    def observe(self, value: float, epoch: float) -> None:
        """Take in what was measured after ``epoch`` epochs; of a fraction of an epoch, nothing is taken in.

        A value that is not a number is no better than any other.
        """
        if epoch != math.floor(epoch) or epoch <= self._last_epoch:
            return
        if self._is_better(value):
            self.best = value
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1
        if self.cooling > 0:
            self.cooling -= 1
            self.bad_epochs = 0
        if self.bad_epochs > self._patience:
            self.reductions += 1
            self.cooling = self._cooldown
            self.bad_epochs = 0

    def state_dict(self) -> dict[str, Any]:
        """Return what was observed, as plain numbers."""
        return {name: getattr(self, name) for name in _STATE}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            ParameterError: it is not the state of such a policy.
        """
        missing = [name for name in _STATE if name not in state]
        if missing:
            raise ParameterError(f"plateau: the state has no {missing[0]!r}; it has: {', '.join(state) or 'nothing'}")
        for name in _STATE:
            setattr(self, name, state[name])

    def _is_better(self, value: float) -> bool:
        best = self._sign * self.best
        limit = best * (1 - self._sign * self._threshold) if self._is_relative else best - self._threshold
        return self._sign * value < limit
