"""Stepper: from the mini-batches of one or more iterations to one step of the optimizer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor

from leaven.errors import ParameterError
from leaven_plugins.trainers.standard.precision import Precision


class Clipping(NamedTuple):
    """Limits of the gradients: of their norm all together, and of each value; ``None`` for none."""

    norm: float | None = None
    value: float | None = None


class Stepper:
    """Adds up gradients, weighted by rows, and makes a step of every ``accumulate`` iterations.

    The gradient of a step is what one large batch would give, where losses are means over rows.

    Args:
        network: what has the gradients.
        optimizer: changes its weights.
        precision: of the backward pass.
        accumulate: iterations for one step.
        clipping: limits of the gradients.
        quietly: gives a context for passes after which no step follows at once: several processes need not exchange
            gradients there.
        exchange: exchanges them, where a step follows nevertheless.

    Attributes:
        accumulate: as above.

    Raises:
        ParameterError: ``accumulate`` is below 1.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        precision: Precision,
        accumulate: int = 1,
        clipping: Clipping = Clipping(),  # noqa: B008 - a tuple
        quietly: Callable[[], AbstractContextManager[Any]] = nullcontext,
        exchange: Callable[[], None] = lambda: None,
    ) -> None:
        if accumulate < 1:
            raise ParameterError(f"trainer standard: accumulate={accumulate}: expected 1 or more")
        self.accumulate = accumulate
        self._network = network
        self._optimizer = optimizer
        self._precision = precision
        self._clipping = clipping
        self._quietly = quietly
        self._exchange = exchange
        self._exchanged = False
        self._iterations = 0
        self._rows = 0
        self._nominal = 0
        self._losses: list[Tensor] = []

    @property
    def is_due(self) -> bool:
        """Whether a step has to be made now."""
        return self._iterations >= self.accumulate

    @property
    def is_open(self) -> bool:
        """Whether there are gradients of which no step was made."""
        return self._iterations > 0

    def begin(self, rows: int) -> None:
        """Begin an iteration of so many rows (in all processes)."""
        if not self._iterations:
            self._optimizer.zero_grad()
            self._nominal = rows * self.accumulate
        self._iterations += 1
        self._rows += rows

    def passing(self, last: bool) -> AbstractContextManager[Any]:
        """Return what to run the forward and backward pass of a mini-batch in.

        Args:
            last: the iteration has no further mini-batch.
        """
        self._exchanged = last and self.is_due
        return nullcontext() if self._exchanged else self._quietly()

    def backward(self, loss: Tensor, rows: float) -> None:
        """Add the gradients of a mini-batch with this mean loss.

        Args:
            loss: scalar.
            rows: its rows; with several processes times their number, whose gradients are averaged.
        """
        self._precision.backward(loss * (rows / self._nominal))
        self._losses.append(loss.detach())

    def is_finite(self) -> bool:
        """Return whether all losses and gradients are. This waits for the device."""
        self._share()
        self._precision.unscale(self._optimizer)
        gradients = [p.grad for p in self._network.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients) if gradients else torch.zeros(())
        return bool(torch.isfinite(norm)) and self._has_finite_losses()

    def is_overflow(self) -> bool:
        """Return whether, of what is not finite, only the scale of ``fp16`` is to blame, as far as losses tell."""
        return self._precision.is_scaled and self._has_finite_losses()

    def step(self, unscaled: bool, prepare: Callable[[], None]) -> None:
        """Let the optimizer make its step.

        Args:
            unscaled: :meth:`is_finite` was asked before.
            prepare: called just before, to set learning rates.
        """
        self._share()
        self._complete()
        self._clip(unscaled)
        prepare()
        self._precision.step(self._optimizer)
        self.clear()

    def abandon(self) -> None:
        """Forget the gradients; :meth:`is_finite` was asked before."""
        self._precision.abandon()
        self.clear()

    def clear(self) -> None:
        """Forget gradients that an error has left."""
        self._optimizer.zero_grad()
        self._losses = []
        self._iterations = self._rows = self._nominal = 0

    def _has_finite_losses(self) -> bool:
        return all(bool(torch.isfinite(loss)) for loss in self._losses)

    def _share(self) -> None:
        if not self._exchanged:
            self._exchange()
            self._exchanged = True

    def _complete(self) -> None:
        """Correct the weights where there were fewer rows than the first iteration let expect."""
        if self._rows != self._nominal and self._rows:
            for parameter in self._network.parameters():
                if parameter.grad is not None:
                    parameter.grad.mul_(self._nominal / self._rows)

    def _clip(self, unscaled: bool) -> None:
        norm, value = self._clipping
        if norm is None and value is None:
            return
        if not unscaled:
            self._precision.unscale(self._optimizer)
        parameters = [p for p in self._network.parameters() if p.grad is not None]
        if value is not None:
            torch.nn.utils.clip_grad_value_(parameters, value)
        if norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, norm)
