"""EpochMeter: loss, speed and waiting of one epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError

_PENDING = 64
"""Losses on a device that are fetched at once: each fetch waits until the device has caught up."""


class EpochMeter:
    """Adds up what an epoch's mini-batches report.

    Args:
        name: what to call the epoch in an error, such as ``"train epoch 3"``.
        clock: seconds, rising.
        tolerant: losses that are not finite are left out of the mean, and are no error.

    Attributes:
        samples: rows seen so far, those before a resumption included.
        iterations: iterations begun so far, likewise.
    """

    def __init__(self, name: str, clock: Callable[[], float], tolerant: bool = False) -> None:
        self.name = name
        self.samples = 0
        self.iterations = 0
        self._clock = clock
        self._tolerant = tolerant
        self._start = clock()
        self._end: float | None = None
        self._waited = 0.0
        self._before = 0
        self._loss_sum = 0.0
        self._loss_rows = 0
        self._pending: list[tuple[Tensor, int, int]] = []

    def iterate(self, data: Iterable[Any]) -> Iterator[Any]:
        """Yield from ``data`` and measure the waiting for it; with its end the time of the epoch ends.

        Raises:
            LeavenError: ``data`` is empty.
        """
        iterator = iter(data)
        nothing = object()
        try:
            while True:
                before = self._clock()
                item = next(iterator, nothing)
                self._waited += self._clock() - before
                if item is nothing:
                    break
                self.iterations += 1
                yield item
                del item  # or this frame would hold the batch's memory while it waits for the next one
        finally:
            self._end = self._clock()
        if not self.iterations:
            raise LeavenError(f"{self.name}: no data; mind that an iterator can be gone through only once")

    def add(self, loss: Tensor, rows: int) -> None:
        """Add a mini-batch of ``rows`` rows with this mean loss.

        Raises:
            LeavenError: a loss is not finite. On the CPU it is the one passed in; on a device, where each look at it
                waits until the device has caught up, it may be one of the last 64, and the text says which.
        """
        self.samples += rows
        self._pending.append((loss.detach(), rows, self.iterations))
        if loss.device.type == "cpu" or len(self._pending) >= _PENDING:
            self._settle()

    def totals(self) -> tuple[float, int, int]:
        """Return the sum of the losses over rows, of how many rows, and how many rows were seen."""
        self._settle()
        return self._loss_sum, self._loss_rows, self.samples

    def state_dict(self) -> dict[str, Any]:
        """Return what was added up so far; times are not part of it."""
        loss_sum, loss_rows, samples = self.totals()
        return {"loss_sum": loss_sum, "loss_rows": loss_rows, "samples": samples, "iterations": self.iterations}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from a state; speed is that of what comes."""
        self._loss_sum, self._loss_rows = float(state["loss_sum"]), int(state["loss_rows"])
        self.samples = self._before = int(state["samples"])
        self.iterations = int(state["iterations"])

    @property
    def loss(self) -> float:
        """The mean loss of all rows so far; NaN before the first."""
        self._settle()
        return self._loss_sum / self._loss_rows if self._loss_rows else math.nan

    @property
    def images_per_second(self) -> float:
        """Rows for each second since the epoch began, or was resumed."""
        return (self.samples - self._before) / max(self._seconds, 1e-9)

    @property
    def wait_share(self) -> float:
        """Share of the time that was spent waiting for data, 0 to 1."""
        return self._waited / max(self._seconds, 1e-9)

    @property
    def _seconds(self) -> float:
        return (self._clock() if self._end is None else self._end) - self._start

    def _settle(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        values = torch.stack([loss.double() for loss, _, _ in pending]).tolist()
        for value, (_, rows, iteration) in zip(values, pending, strict=True):
            if math.isfinite(value):
                self._loss_sum += value * rows
                self._loss_rows += rows
            elif not self._tolerant:
                raise LeavenError(
                    f"{self.name}, iteration {iteration}: the loss is {value}; try a lower learning rate, or "
                    "nonfinite='skip'"
                )
