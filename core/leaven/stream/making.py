"""Making a batch in spite of samples that fail: the policies ``raise``, ``skip`` and ``replace``, for any worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, SampleError, SampleErrors
from leaven.protocols import Worker
from leaven.stream.arena import Layout
from leaven.stream.board import Line
from leaven.stream.failpoints import failpoint
from leaven.stream.randomness import Streams
from leaven.stream.substitutes import SUBSTITUTES
from leaven.stream.worker import Item, Request

MASK = "valid"
"""The batch's mask of the rows that hold a sample."""


@dataclass(frozen=True)
class Failure:
    """A row whose sample could not be made; ``substitute`` is the index of the sample that is there instead."""

    row: int
    error: SampleError
    substitute: int | None = None


@dataclass
class Made:
    """What became of a request: a batch, or what else the worker returned, and the rows that failed."""

    result: Any
    failures: list[Failure] = field(default_factory=list)


class Maker:
    """Makes batches with one worker.

    Args:
        worker: what turns samples into rows.
        layout: of the batch's arrays, the mask among them where one is wanted.
        streams: of the loader's seed.
        tolerance: ``raise``, ``skip`` or ``replace``.
        line: says what the worker is on.
        read: reads a sample whose content did not come with the request.
        substitute: returns the item to try for the ``attempt``-th time in place of a row's, ``None`` if there is none.
    """

    def __init__(
        self,
        worker: Worker,
        layout: Layout,
        streams: Streams,
        tolerance: str,
        line: Line,
        read: Callable[[int], bytes | Mapping[str, Any]],
        substitute: Callable[[int, Item, Sequence[Item], int], Item | None],
    ) -> None:
        self._worker = worker
        self._specs = {key: spec for key, (_, spec) in layout.fields.items()}
        self._streams = streams
        self._tolerance = tolerance
        self._line = line
        self._read = read
        self._substitute = substitute

    def make(
        self,
        position: int,
        rows: int,
        items: Sequence[Item],
        failed: dict[int, SampleError],
        arrays: Mapping[str, NDArray[Any]],
    ) -> Made:
        """Fill ``arrays``, of ``rows`` rows, from ``items``; rows without an item are padding.

        Rows in ``failed`` cannot be made from their item; those that turn out to be like that are added.

        Raises:
            SampleError: under ``raise``, where one sample failed.
            SampleErrors: under ``raise``, where several did.
        """
        own = {key: array for key, array in arrays.items() if key != MASK}
        good = {row: item for row, item in enumerate(items) if row not in failed}
        gathered = Gathered(own, self._specs, rows, padded=len(items) < rows)
        others = self._run(position, good, failed, gathered)
        if failed and self._tolerance == "raise":
            raise _together([failed[row] for row in sorted(failed)])
        if others is not None:
            return Made(others, [Failure(row, error) for row, error in sorted(failed.items())])
        replaced = self._replaced(position, items, failed, gathered) if self._tolerance == "replace" else {}
        result = gathered.result()
        if MASK in arrays:
            invalid = [row for row in range(rows) if row >= len(items) or (row in failed and row not in replaced)]
            arrays[MASK][:] = True
            arrays[MASK][invalid] = False
            result[MASK] = arrays[MASK]
        return Made(result, [Failure(row, error, replaced.get(row)) for row, error in sorted(failed.items())])

    def _run(
        self, position: int, good: Mapping[int, Item], failed: dict[int, SampleError], gathered: Gathered
    ) -> Iterable[Mapping[str, Any]] | None:
        """Make the rows in ``good``, moving to ``failed`` what cannot be made; return what is no single batch."""
        todo = dict(good)
        while todo:
            rows = list(todo)
            arrays = gathered.arrays(rows)
            rejected: dict[int, SampleError] = {}
            request = self._request(position, list(todo.values()), arrays, rejected)
            try:
                result = self._worker.process(request)
                if not isinstance(result, Mapping):
                    result = [] if result is None else [_copied(batch) for batch in result]
            except SampleError as error:
                failed |= self._given_up(todo, error)
                if self._tolerance == "raise":
                    return None
                todo = {row: item for row, item in todo.items() if row not in failed}
                continue
            failed.update((rows[place], error) for place, error in rejected.items())
            if not isinstance(result, Mapping):
                return result
            gathered.put(rows, result, rejected)
            return None
        return None

    def _request(
        self,
        position: int,
        items: list[Item],
        arrays: Mapping[str, NDArray[Any]],
        rejected: dict[int, SampleError],
    ) -> Request:
        def reject(place: int, error: SampleError) -> None:
            rejected[place] = error

        samples = self._watched(items)
        line = self._line
        return Request(position, samples, len(items), arrays, self._streams, line.on, reject, line.progress)

    def _watched(self, items: list[Item]) -> Iterator[Item]:
        failpoint("worker.read")
        reading, working = self._line.marker("read"), self._line.marker("work")
        read, half = self._read, len(items) // 2
        for place, item in enumerate(items):
            if place == half:
                failpoint("worker.half_written")
            index, epoch, key, data = item
            if data is None:
                reading(index)
                try:
                    data = read(index)
                except Exception as error:
                    raise _unreadable(index, error) from error
                item = Item(index, epoch, key, data)
            working(index)
            yield item

    def _given_up(self, todo: Mapping[int, Item], error: SampleError) -> dict[int, SampleError]:
        """Return the rows that a worker gave up the whole request for; with one that cannot be read, all of these."""
        found = {row: error for row, item in todo.items() if item.index == error.index}
        if not found:
            raise error
        for row, item in todo.items() if error.stage == "read" else ():
            try:
                if item.data is None:
                    self._read(item.index)
            except Exception as other:
                found[row] = _unreadable(item.index, other)
        return found

    def _replaced(
        self,
        position: int,
        items: Sequence[Item],
        failed: Mapping[int, SampleError],
        gathered: Gathered,
    ) -> dict[int, int]:
        """Put other samples in the place of those that failed; return which one is now in which row."""
        found: dict[int, int] = {}
        whole = [item for row, item in enumerate(items) if row not in failed]
        wanting = {row: items[row] for row in sorted(failed)}
        for attempt in range(SUBSTITUTES):
            tried: dict[int, Item] = {}
            for row, failing in wanting.items():
                self._line.on(failing.index, "replace")
                item = self._substitute(row, failing, whole, attempt)
                if item is not None:
                    tried[row] = item
            bad: dict[int, SampleError] = {}
            if tried:
                self._run(position, tried, bad, gathered)
            found.update((row, item.index) for row, item in tried.items() if row not in bad)
            wanting = {row: item for row, item in wanting.items() if row not in found}
            if not wanting:
                break
        return found


class Gathered:
    """A batch that is put together from rows that were made one time and another.

    Args:
        arrays: the batch's declared arrays, all rows filled.
        specs: what a row of each is when nobody makes it.
        rows: how many rows.
        padded: whether there are rows without a sample.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], specs: Mapping[str, Any], rows: int, padded: bool) -> None:
        self._arrays = arrays
        self._specs = specs
        self._rows = rows
        self._padded = padded
        self._others: dict[str, Any] = {}
        self._kept: set[str] = set()
        self._made: set[int] = set()
        self._touched = False

    def arrays(self, rows: Sequence[int]) -> Mapping[str, NDArray[Any]]:
        """Return arrays for a request of these rows: the batch's own where it is all of them."""
        if len(rows) == self._rows:
            if self._touched:
                for key, array in self._arrays.items():
                    self._specs[key].clear(array)
            self._touched = True
            return self._arrays
        return {key: self._specs[key].allocate(len(rows)) for key in self._arrays}

    def put(self, rows: Sequence[int], part: Mapping[str, Any], without: Iterable[int]) -> None:
        """Take in what was made for ``rows``; the places in ``without`` were not."""
        if len(rows) == self._rows:
            self._kept = {key for key, value in part.items() if key in self._arrays and value is self._arrays[key]}
            self._others = {key: value for key, value in part.items() if key not in self._kept}
            self._made = {row for row in rows if row not in without}
            return
        left_out = set(without)
        places = [place for place in range(len(rows)) if place not in left_out]
        targets = [rows[place] for place in places]
        self._made.update(targets)
        for key, value in part.items():
            if key in self._arrays and key not in self._others:
                self._kept.add(key)
                self._arrays[key][targets] = value[places]
            else:
                _scatter(self._column(key, value, len(rows)), targets, [value[place] for place in places])

    def result(self) -> dict[str, Any]:
        """Return the batch; rows that nobody made are what their spec says, and ``None`` in lists."""
        missing = [row for row in range(self._rows) if row not in self._made]
        if missing:
            for key, array in self._arrays.items():
                for row in missing:
                    self._specs[key].clear(array[row : row + 1])
        kept = {key: self._arrays[key] for key in self._arrays if key in self._kept or not self._made}
        return {**kept, **self._others}

    def _column(self, key: str, value: Any, rows: int) -> Any:
        if not isinstance(value, (list, np.ndarray)) or len(value) != rows:
            what, use = "failing samples", "on_error='raise'"
            if self._padded:
                what, use = "padding", "last_batch='keep' or 'drop'"
            raise ParameterError(
                f"{key!r} of the worker's batch has no entry for each sample, so that a batch with {what} cannot be "
                f"put together; use {use}"
            )
        if key not in self._others:
            if isinstance(value, np.ndarray):
                self._others[key] = np.zeros((self._rows, *value.shape[1:]), value.dtype)
            else:
                self._others[key] = [None] * self._rows
        return self._others[key]


def _unreadable(index: int, error: Exception) -> SampleError:
    if isinstance(error, SampleError):
        return error
    return SampleError(str(error), index=index, stage="read", cause_type=type(error).__name__)


def _scatter(column: Any, targets: Sequence[int], values: Sequence[Any]) -> None:
    for target, value in zip(targets, values, strict=True):
        column[target] = value


def _together(errors: Sequence[SampleError]) -> Exception:
    return errors[0] if len(errors) == 1 else SampleErrors(errors)


def _copied(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Batches that follow each other may be made in the same arrays."""
    return {key: value.copy() if isinstance(value, np.ndarray) else value for key, value in batch.items()}
