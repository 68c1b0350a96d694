"""Sources: one face for everything that a loader takes samples from.

A source answers for runs of positions of the endless stream of :mod:`leaven.stream.order`. Datasets that workers can
open themselves give positions only; everything else is read in the parent, and its packed bytes travel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from leaven.errors import LeavenError, ParameterError, SampleError, StateError
from leaven.stream import wire
from leaven.stream.failures import described
from leaven.stream.order import Order

if TYPE_CHECKING:
    from leaven.stream.schedule import Progress

_END = object()
_AHEAD = 1024  # positions that are looked up at once

Pieces = Sequence[tuple[int, int]]
"""Runs ``start <= position < stop`` of the stream."""


class Stretch(NamedTuple):
    """The samples of one mini-batch: their cells, and their contents where workers cannot read them.

    ``position`` is that of the first in the stream, ``rows`` how many rows the mini-batch has (those beyond the samples
    are padding), ``rejected`` lists the rows whose sample could not be read, with the error as fields. ``final`` says
    that the iteration ends with it, ``ordinal`` is its place among the mini-batches of the epoch.
    """

    position: int
    rows: int
    epochs: list[int]
    indices: list[int]
    items: list[bytes] | None
    rejected: list[tuple[int, dict[str, Any]]]
    final: bool = True
    ordinal: int = 0


class Source(Protocol):
    """What the loader asks of a source."""

    length: int | None
    """How many samples there are, where that is known."""

    ended: int | None
    """At which position the samples ended, if they have since :meth:`begin`."""

    def reach(self, stop: int) -> int:
        """Return ``stop``, or where the samples end before it."""

    def stretch(self, pieces: Pieces, rows: int) -> Stretch:
        """Return the samples at the positions of ``pieces``, all of which exist."""

    def flows(self, length: int | None) -> bool:
        """Return whether epochs of this length must begin where the last one was broken off, or samples are lost."""

    def begin(self, epoch: int, position: int, skip: int, flows: bool) -> None:
        """Epoch ``epoch`` goes on at ``position``, ``skip`` samples into it; nothing before it is asked for again."""


class Positions:
    """A dataset with positions.

    Args:
        order: which sample comes when.
        read: reads a sample, where workers cannot open the dataset themselves; ``None`` where only positions travel.
    """

    def __init__(self, order: Order, read: Callable[[int], Any] | None) -> None:
        self.length: int | None = order.length
        self.ended: int | None = None
        self._order = order
        self._read = read
        self._first = 0  # position of the first cell that was looked up
        self._epochs: list[int] = []
        self._indices: list[int] = []

    def reach(self, stop: int) -> int:
        """The stream never ends."""
        return stop

    def stretch(self, pieces: Pieces, rows: int) -> Stretch:
        """Return the cells, and the contents where they are read here."""
        epochs: list[int] = []
        indices: list[int] = []
        for start, stop in pieces:
            if not self._first <= start <= stop <= self._first + len(self._indices):
                self._look_up(start, stop)
            here = slice(start - self._first, stop - self._first)
            epochs += self._epochs[here]
            indices += self._indices[here]
        position = pieces[0][0] if pieces else 0
        if self._read is None:
            return Stretch(position, rows, epochs, indices, None, [])
        items, rejected = contents(self._read, indices)
        return Stretch(position, rows, epochs, indices, items, rejected)

    def flows(self, length: int | None) -> bool:
        """Nothing is lost: any position can be asked for again."""
        return False

    def begin(self, epoch: int, position: int, skip: int, flows: bool) -> None:
        """Any position can be asked for at any time."""

    def _look_up(self, start: int, stop: int) -> None:
        """Get the cells of what comes next as well: of many at once, one costs 0.1 us instead of 1."""
        cells = self._order.cells(start, max(stop, start + _AHEAD))
        self._first, self._epochs, self._indices = start, cells.epochs.tolist(), cells.indices.tolist()


class Walk:
    """A plain iterable: samples come in its own order, and from the start again with each pass.

    Args:
        data: the iterable. One that is its own iterator is walked through only once.
        window: how many samples may have been read without having been delivered. So many are kept, so that an epoch
            that is broken off loses none.
        endless: whether one epoch goes on across the passes.
    """

    def __init__(self, data: Iterable[Any], window: int, endless: bool) -> None:
        self.length = len(data) if isinstance(data, Sized) else None
        self.ended: int | None = None
        self._data = data
        self._iterator = iter(data)
        self._once = self._iterator is data
        self._flows = False
        self._window = window
        self._endless = endless
        self._kept: deque[_Kept] = deque()
        self._first = 0  # the position of the oldest one kept
        self._pass = 0
        self._rank = 0

    def reach(self, stop: int) -> int:
        """Read on to ``stop``, or to the end of the pass."""
        while (end := self._first + len(self._kept)) < stop:
            if not self._pull():
                self.ended = end
                return end
        return stop

    def stretch(self, pieces: Pieces, rows: int) -> Stretch:
        """Return what :meth:`reach` has read."""
        runs = [islice(self._kept, start - self._first, stop - self._first) for start, stop in pieces]
        found = [cell for run in runs for cell in run]
        position = pieces[0][0] if pieces else 0
        while len(self._kept) > self._window:
            self._drop()
        rejected = [(row, cell.error) for row, cell in enumerate(found) if cell.error is not None]
        epochs, indices = [cell.epoch for cell in found], [cell.rank for cell in found]
        return Stretch(position, rows, epochs, indices, [cell.item for cell in found], rejected)

    def flows(self, length: int | None) -> bool:
        """Return whether it cannot start again, or an epoch is not one pass."""
        return self._once or self._endless or (length is not None and length != self.length)

    def begin(self, epoch: int, position: int, skip: int, flows: bool) -> None:
        """Go on at ``position``; start a new pass, ``skip`` samples into it, where an epoch is one.

        Raises:
            StateError: that lies behind, and the iterable cannot start again.
        """
        self._flows = flows
        self.ended = None
        if not flows:
            self._kept.clear()
            self._first = position - skip
            self._restart(epoch)
        elif position < self._first:
            self._go_back(position)
        while self._first < position and (self._kept or self._pull()):
            self._drop()

    def _pull(self) -> bool:
        item = next(self._iterator, _END)
        if item is _END and self._flows and not self._once and self._rank:
            self._restart(self._pass + 1)
            item = next(self._iterator, _END)
        if item is _END:
            return False
        try:
            kept = _Kept(self._pass, self._rank, packed(item, self._rank))
        except SampleError as error:
            kept = _Kept(self._pass, self._rank, b"", described(error))
        self._kept.append(kept)
        self._rank += 1
        return True

    def _go_back(self, position: int) -> None:
        if self._once:
            end = self._first + len(self._kept)
            raise StateError(
                f"sample {position} of the stream has been read, and so have all up to {end}: this iterator cannot "
                "start again; make the loader anew, over a new iterator"
            )
        self._kept.clear()
        self._first = 0
        self._restart(0)

    def _drop(self) -> None:
        self._kept.popleft()
        self._first += 1

    def _restart(self, epoch: int) -> None:
        self._iterator = iter(self._data)
        self._pass, self._rank = epoch, 0


class _Kept(NamedTuple):
    """A sample that was read: its cell and its content, or the error as fields."""

    epoch: int
    rank: int
    item: bytes
    error: dict[str, Any] | None = None


class Requests:
    """A source that says itself what each mini-batch is of: an object with ``yield_requests()``.

    Each request is a sequence of samples, or of positions where the object has ``sample(index)`` too.

    Args:
        data: the object.
        rows: how many samples a request may have.
    """

    length: int | None = None
    ended: int | None = None

    def __init__(self, data: Any, rows: int) -> None:
        self._data = data
        self._rows = rows
        self._read = data.sample if hasattr(data, "sample") else None

    def flows(self, length: int | None) -> bool:
        """Each epoch asks for the requests anew."""
        return False

    def stretches(self, progress: Progress, parts: int) -> Iterator[Stretch]:
        """Yield the mini-batches of one pass that were not handed out yet; an iteration has ``parts`` of them.

        Positions are counted as if each request were full, so that what is drawn for one differs from pass to pass.

        Raises:
            ParameterError: a request has no samples, or too many.
        """
        epoch, origin, done, ahead = progress.epoch, progress.origin, progress.step * parts, frozenset(progress.ahead)
        before = 0
        for ordinal, request in enumerate(self._data.yield_requests()):
            if not 1 <= len(request) <= self._rows:
                raise ParameterError(f"yield_requests: a request of {len(request)} samples; expected 1 to {self._rows}")
            given, first = list(request), before
            before += len(given)
            if ordinal < done or ordinal in ahead:
                continue
            read: Callable[[int], Any] = self._read or (lambda index, given=given, first=first: given[index - first])
            indices = [int(index) for index in given] if self._read else list(range(first, before))
            items, rejected = contents(read, indices)
            final = (ordinal + 1) % parts == 0
            position = origin + ordinal * self._rows
            yield Stretch(position, len(given), [epoch] * len(given), indices, items, rejected, final, ordinal)


def contents(
    read: Callable[[int], Any], indices: Sequence[int]
) -> tuple[list[bytes], list[tuple[int, dict[str, Any]]]]:
    """Return the packed samples at ``indices``, and the rows that cannot be read, with the error as fields."""
    items, rejected = [], []
    for row, index in enumerate(indices):
        try:
            items.append(packed(_tried(read, index), index))
        except SampleError as error:
            items.append(b"")
            rejected.append((row, described(error)))
    return items, rejected


def _tried(read: Callable[[int], Any], index: int) -> Any:
    try:
        return read(index)
    except SampleError:
        raise
    except Exception as error:
        raise SampleError(str(error), index=index, stage="read", cause_type=type(error).__name__) from error


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
    data: Any, order: Order | None, readable: bool, *, window: int, rows: int, endless: bool
) -> Source | Requests:
    """Return the source for whatever was given as dataset.

    Args:
        data: a dataset, anything with ``len`` and integer positions, or an iterable.
        order: of the positions; ``None`` where there are none.
        readable: whether workers can open the dataset themselves.
        window: how many samples may have been read without having been delivered.
        rows: how many samples a mini-batch has.
        endless: whether one epoch goes on across the passes.
    """
    if hasattr(data, "yield_requests"):
        return Requests(data, rows)
    if order is None:
        return Walk(data, window, endless)
    return Positions(order, None if readable else reader(data))


def reader(data: Any) -> Callable[[int], Any]:
    """Return what reads a sample of something with positions."""
    read: Callable[[int], Any] = data.sample if hasattr(data, "sample") else data.__getitem__
    return read


def has_positions(data: Any) -> bool:
    """Return whether samples can be asked for by position.

    Raises:
        ParameterError: it is neither a dataset, nor a sequence or iterable of samples; or it is empty.
    """
    if hasattr(data, "yield_requests"):
        return False
    if isinstance(data, (str, bytes, Mapping)) or not (hasattr(data, "sample") or isinstance(data, Iterable)):
        raise ParameterError(
            f"dataset: a {type(data).__name__} is neither a dataset, nor a sequence or iterable of packed samples"
        )
    if isinstance(data, Sized) and len(data) == 0:
        raise ParameterError("the dataset is empty")
    return isinstance(data, Sized) and (hasattr(data, "sample") or hasattr(data, "__getitem__"))
