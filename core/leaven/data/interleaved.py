"""Interleaved: one stream of batches for training, with evaluation batches where they are due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.data.index_batches import check_batch_size
from leaven.errors import ParameterError
from leaven.stream.order import Order

_UNITS = ("epochs", "updates", "samples")


@dataclass(frozen=True)
class Side:
    """What comes in between: the first pass of an order, whenever it is due.

    One of the intervals is given. Sides are looked at after each batch of the main order: an interval of samples that
    ends within a batch is due after it.

    Args:
        order: which samples come when, see :func:`~leaven.data.orders.order_of`.
        every_n_epochs: interval in passes of the main order.
        every_n_updates: interval in batches of the main order.
        every_n_samples: interval in samples of the main order.
        batch_size: samples in a batch; by default that of the main order.

    Raises:
        ParameterError: not one interval is given, or a number is out of range.
    """

    order: Order
    every_n_epochs: int | None = None
    every_n_updates: int | None = None
    every_n_samples: int | None = None
    batch_size: int | None = None

    def __post_init__(self) -> None:
        given = {f"every_n_{unit}": getattr(self, f"every_n_{unit}") for unit in _UNITS}
        _check_one("a side", given)
        _check_counts(**given)
        if self.batch_size is not None:
            check_batch_size(self.batch_size)

    def is_due(self, before: _Progress, now: _Progress) -> bool:
        """Return whether an interval has ended between two places of the main order."""
        for unit in _UNITS:
            every = getattr(self, f"every_n_{unit}")
            if every is not None:
                return bool(getattr(before, unit) // every < getattr(now, unit) // every)
        raise AssertionError("one interval is given")


@dataclass(frozen=True)
class _Progress:
    epochs: int
    updates: int
    samples: int


@dataclass(frozen=True)
class Interleaved:
    """Batches of positions in several datasets that follow each other: those of the main one, and of the sides.

    A position is one in all of them together: that of a side is counted on after the main dataset and the sides before
    it. No batch has samples of two datasets. Each ``for`` goes over all of it again.

    What ends it and where it starts are told in one unit each. Where it ends after 0 epochs, updates or samples, each
    side comes once: that is an evaluation alone.

    Args:
        main: which samples come when, see :func:`~leaven.data.orders.order_of`.
        batch_size: samples in a batch of the main order.
        sides: what comes in between, in this order where several are due.
        epochs: ends after so many passes of the main order.
        updates: ends after so many batches of the main order.
        samples: ends with the batch that has the last of so many samples of the main order.
        start_epoch: begins after so many passes.
        start_update: begins after so many batches.
        start_sample: begins after so many samples, which have to be whole batches.
        drop_last: leaves out the end of a pass of the main order that does not fill a batch; otherwise it is a smaller
            batch. Sides have such.

    Raises:
        ParameterError: a number is out of range, or not one end, or more than one start, is given.
    """

    main: Order
    batch_size: int
    sides: Sequence[Side] = ()
    epochs: int | None = None
    updates: int | None = None
    samples: int | None = None
    start_epoch: int | None = None
    start_update: int | None = None
    start_sample: int | None = None
    drop_last: bool = True

    def __post_init__(self) -> None:
        check_batch_size(self.batch_size)
        ends = {unit: getattr(self, unit) for unit in _UNITS}
        _check_one("interleaved", ends)
        starts = {f"start_{unit[:-1]}": getattr(self, f"start_{unit[:-1]}") for unit in _UNITS}
        _check_counts(0, **ends, **starts)
        if sum(value is not None for value in starts.values()) > 1:
            raise ParameterError(f"interleaved: {', '.join(starts)}: expected one of them at most")
        if not self._per_epoch:
            raise ParameterError(
                f"interleaved: a pass of {self.main.length} samples does not fill a batch of {self.batch_size}; "
                "use drop_last=False"
            )
        self._start()

    def __iter__(self) -> Iterator[NDArray[np.int64]]:
        """Yield the positions of one batch after the other, int64, 1-D."""
        if 0 in (self.epochs, self.updates, self.samples):
            for number in range(len(self.sides)):
                yield from self._side(number)
            return
        now = self._start()
        while not self._ended(now):
            before, now = now, self._after(now)
            yield self._main(before, now)
            for number, side in enumerate(self.sides):
                if side.is_due(before, now):
                    yield from self._side(number)

    @property
    def _per_epoch(self) -> int:
        """Samples of the main order in an epoch."""
        length = self.main.length
        return length // self.batch_size * self.batch_size if self.drop_last else length

    @property
    def _updates_per_epoch(self) -> int:
        return -(-self._per_epoch // self.batch_size)

    def _start(self) -> _Progress:
        if self.start_update is not None:
            epochs, within = divmod(self.start_update, self._updates_per_epoch)
            return self._at(epochs, within)
        if self.start_sample is not None:
            epochs, rest = divmod(self.start_sample, self._per_epoch)
            within, odd = divmod(rest, self.batch_size)
            if odd:
                raise ParameterError(f"interleaved: start_sample={self.start_sample} is within a batch")
            return self._at(epochs, within)
        return self._at(self.start_epoch or 0, 0)

    def _at(self, epochs: int, within: int) -> _Progress:
        """Return the place after so many batches of an epoch."""
        updates = epochs * self._updates_per_epoch + within
        return _Progress(epochs, updates, epochs * self._per_epoch + within * self.batch_size)

    def _after(self, now: _Progress) -> _Progress:
        """Return the place one batch further."""
        end = (now.epochs + 1) * self._per_epoch
        samples = min(now.samples + self.batch_size, end)
        return _Progress(now.epochs + (samples == end), now.updates + 1, samples)

    def _ended(self, now: _Progress) -> bool:
        return any(getattr(self, unit) is not None and getattr(now, unit) >= getattr(self, unit) for unit in _UNITS)

    def _main(self, before: _Progress, now: _Progress) -> NDArray[np.int64]:
        skipped = before.epochs * (self.main.length - self._per_epoch)
        return self.main.cells(before.samples + skipped, now.samples + skipped).indices

    def _side(self, number: int) -> Iterator[NDArray[np.int64]]:
        side = self.sides[number]
        size = side.batch_size or self.batch_size
        offset = self.main.size + sum(other.order.size for other in self.sides[:number])
        for start in range(0, side.order.length, size):
            yield side.order.cells(start, min(start + size, side.order.length)).indices + offset


def _check_one(what: str, given: dict[str, Any]) -> None:
    if sum(value is not None for value in given.values()) != 1:
        raise ParameterError(f"{what}: {', '.join(given)}: expected one of them")


def _check_counts(least: int = 1, **numbers: Any) -> None:
    for name, value in numbers.items():
        if value is not None and (type(value) is not int or value < least):
            raise ParameterError(f"{name}={value!r}: expected a whole number, at least {least}")
