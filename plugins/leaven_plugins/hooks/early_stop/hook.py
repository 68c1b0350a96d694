"""EarlyStop: the end of a run that does not get better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from leaven.errors import LeavenError, ParameterError, listing, suggestion

_LESS_IS_BETTER = ("loss", "mse", "error")


class EarlyStop:
    """Stops a run when a value has not become better for some epochs.

    Args:
        monitor: the value: ``val_`` or ``train_`` before the name that it has in the epoch's record, as ``val_loss``.
        patience: after so many epochs in a row without anything better the run ends.
        min_delta: how much better it has to be.
        mode: ``min``, ``max``, or ``auto``: less is better for what ends in loss, mse or error. NaN is never better.

    Raises:
        ParameterError: a value is out of range.
    """

    def __init__(
        self, monitor: str = "val_loss", patience: int = 10, min_delta: float = 0.0, mode: str = "auto"
    ) -> None:
        phase, _, self._key = monitor.partition("_")
        if phase not in ("train", "val") or not self._key:
            raise ParameterError(f"early_stop: monitor={monitor!r}: expected train_ or val_ and a value, as val_loss")
        if patience < 1 or not min_delta >= 0:
            raise ParameterError(f"early_stop: patience={patience}, min_delta={min_delta}: at least 1, and 0")
        if mode not in ("auto", "min", "max"):
            raise ParameterError(f"early_stop: mode={mode!r}: expected auto, min or max")
        self.monitor = monitor
        self.patience = patience
        self._phase = phase
        self._delta = min_delta
        self._sign = 1 if mode == "min" or (mode == "auto" and self._key.endswith(_LESS_IS_BETTER)) else -1
        self._best: float | None = None
        self._waited = 0
        self._trainer: Any = None

    def attach(self, trainer: Any) -> None:
        """Look at each epoch of ``trainer``."""
        self._trainer = trainer
        trainer.add_hook("run_begin", self._check)
        trainer.add_hook(f"{self._phase}_end", self._look)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far, and for how long there was none better."""
        return {"best": self._best, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self._best, self._waited = state["best"], int(state["waited"])

    def _check(self, state: Mapping[str, Any]) -> None:
        if self._phase == "val" and state["val_iter"] is None:
            raise LeavenError(f"early_stop: without validation there is no {self.monitor}; monitor train_{self._key}")

    def _look(self, state: Mapping[str, Any]) -> None:
        values: Mapping[str, float] = state[f"{self._phase}_metric_values"][-1]
        if self._key not in values:
            hint = suggestion(self._key, values) or f"; there are {listing(values)}"
            raise LeavenError(f"early_stop: no value {self._key!r} in the {self._phase} record{hint}")
        value = self._sign * values[self._key]
        if not math.isnan(value) and (self._best is None or value < self._best - self._delta):
            self._best, self._waited = value, 0
            return
        self._waited += 1
        if self._waited >= self.patience:
            self._trainer.stop(f"{self.monitor} has not become better for {self._waited} epochs")
