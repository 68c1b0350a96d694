"""Sources: one face for everything that a loader takes samples from.

A source answers for stretches of the endless stream of :mod:`leaven.stream.order`. Datasets that workers can open
themselves give positions only; everything else is read in the parent, and its packed bytes travel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sized
from itertools import islice
from typing import Any, NamedTuple, Protocol

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.stream import wire
from leaven.stream.order import Order

_END = object()


class Stretch(NamedTuple):
    """The samples from ``position`` on: their cells, and their contents where workers cannot read them."""

    position: int
    epochs: list[int]
    indices: list[int]
    items: list[bytes] | None


class Source(Protocol):
    """What the loader asks of a source."""

    length: int | None
    """How many samples there are, where that is known."""

    def stretch(self, start: int, stop: int) -> Stretch:
        """Return the samples at positions ``start <= p < stop``; fewer where the source ends before."""

    def flows(self, length: int | None) -> bool:
        """Return whether epochs of this length must begin where the last one was broken off, or samples are lost."""

    def begin(self, position: int, skip: int, flows: bool) -> None:
        """An epoch goes on at ``position``, ``skip`` samples into it; nothing before it is asked for again."""


class Positions:
    """A dataset that each worker opens for itself: only positions travel."""

    def __init__(self, order: Order) -> None:
        self.length: int | None = order.length
        self._order = order

    def stretch(self, start: int, stop: int) -> Stretch:
        """Return the cells; contents are read by the worker."""
        epochs, indices = self._order.cells(start, stop)
        return Stretch(start, epochs.tolist(), indices.tolist(), None)

    def flows(self, length: int | None) -> bool:
        """Nothing is lost: any position can be asked for again."""
        return False

    def begin(self, position: int, skip: int, flows: bool) -> None:
        """Any position can be asked for at any time."""


class Lookups:
    """Something with ``len`` and positions that only this process can read, such as a list of packed samples."""

    def __init__(self, data: Any, order: Order) -> None:
        self.length: int | None = order.length
        self._order = order
        self._read = data.sample if hasattr(data, "sample") else data.__getitem__

    def stretch(self, start: int, stop: int) -> Stretch:
        """Read the samples at these positions."""
        epochs, indices = (values.tolist() for values in self._order.cells(start, stop))
        return Stretch(start, epochs, indices, [packed(self._read(index), index) for index in indices])

    def flows(self, length: int | None) -> bool:
        """Nothing is lost: any position can be asked for again."""
        return False

    def begin(self, position: int, skip: int, flows: bool) -> None:
        """Any position can be asked for at any time."""


class Walk:
    """A plain iterable: samples come in its own order, and from the start again with each pass.

    Args:
        data: the iterable. One that is its own iterator is walked through only once.
        window: how many samples may have been read without having been delivered. So many are kept, so that an epoch
            that is broken off loses none.
    """

    def __init__(self, data: Iterable[Any], window: int) -> None:
        self.length = len(data) if isinstance(data, Sized) else None
        self._data = data
        self._iterator = iter(data)
        self._once = self._iterator is data
        self._flows = False
        self._window = window
        self._kept: deque[tuple[int, int, bytes]] = deque()
        self._first = 0  # the position of the oldest one kept
        self._pass = 0
        self._rank = 0

    def stretch(self, start: int, stop: int) -> Stretch:
        """Read on to ``stop``, or to the end of the pass."""
        while self._first + len(self._kept) < stop and self._pull():
            pass
        found = list(islice(self._kept, start - self._first, stop - self._first))
        while len(self._kept) > self._window:
            self._drop()
        return Stretch(start, [cell[0] for cell in found], [cell[1] for cell in found], [cell[2] for cell in found])

    def flows(self, length: int | None) -> bool:
        """Return whether it cannot start again, or an epoch is not one pass."""
        return self._once or (length is not None and length != self.length)

    def begin(self, position: int, skip: int, flows: bool) -> None:
        """Go on at ``position``; start a new pass, ``skip`` samples into it, where an epoch is one."""
        self._flows = flows
        if not flows:
            self._kept.clear()
            self._first = position - skip
            self._restart(self._first // self.length if self.length else self._pass + (self._rank > 0))
        while self._first < position and (self._kept or self._pull()):
            self._drop()

    def _pull(self) -> bool:
        item = next(self._iterator, _END)
        if item is _END and self._flows and not self._once and self._rank:
            self._restart(self._pass + 1)
            item = next(self._iterator, _END)
        if item is _END:
            return False
        self._kept.append((self._pass, self._rank, packed(item, self._rank)))
        self._rank += 1
        return True

    def _drop(self) -> None:
        self._kept.popleft()
        self._first += 1

    def _restart(self, epoch: int) -> None:
        self._iterator = iter(self._data)
        self._pass, self._rank = epoch, 0


def packed(item: Any, index: int) -> bytes:
    """Return a sample as a packed msgpack message.

    Raises:
        SampleError: it is neither bytes nor a mapping, or cannot be packed.
    """
    if isinstance(item, bytes):
        return item
    if isinstance(item, (bytearray, memoryview)):
        return bytes(item)
    if not isinstance(item, Mapping):
        raise SampleError(
            f"expected a packed msgpack message or a mapping, got {type(item).__name__}", index=index, stage="read"
        )
    try:
        return wire.pack_sample(item)
    except LeavenError as error:
        raise SampleError(str(error), index=index, key=str(item.get("key", "")), stage="pack") from error


def source_of(
    data: Any, *, readable: bool, seed: int, shuffle: bool, window: int
) -> Source:
    """Return the source for whatever was given as dataset.

    Args:
        data: a dataset, anything with ``len`` and integer positions, or an iterable.
        readable: whether workers can open the dataset themselves.
        seed: of the order.
        shuffle: whether to shuffle.
        window: how many samples may have been read without having been delivered.

    Raises:
        ParameterError: it is none of these, empty, or cannot be shuffled.
    """
    if isinstance(data, (str, bytes, Mapping)) or not (hasattr(data, "sample") or isinstance(data, Iterable)):
        raise ParameterError(
            f"dataset: a {type(data).__name__} is neither a dataset, nor a sequence or iterable of packed samples"
        )
    if isinstance(data, Sized) and len(data) == 0:
        raise ParameterError("the dataset is empty")
    if isinstance(data, Sized) and (hasattr(data, "sample") or hasattr(data, "__getitem__")):
        order = Order(len(data), seed, shuffle)
        return Positions(order) if readable else Lookups(data, order)
    if shuffle:
        raise ParameterError("shuffle=True needs samples with len and positions; an iterable keeps its own order")
    return Walk(data, window)
