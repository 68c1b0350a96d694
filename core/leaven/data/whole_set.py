"""A function of batches applied to all of a source: its results one after the other, or their mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from leaven.data.batch_shape import length_of
from leaven.data.coercion import count_of, source_of
from leaven.data.index_batches import num_batches
from leaven.errors import ParameterError

if TYPE_CHECKING:
    from leaven.tasks.pools import AbstractWorkerPool

Progress = Callable[..., Iterable[Any]]
"""Called as ``progress(batches, total=number or None, leave=False)``; gives the batches again, as ``tqdm`` does."""


def batch_map_concat(
    source: Any,
    function: Callable[..., Any],
    batch_size: int,
    *,
    shuffle: Any = None,
    n_batches: int | None = None,
    progress: Progress | None = None,
    prepend_args: Sequence[Any] = (),
    work_pool: AbstractWorkerPool | None = None,
) -> tuple[NDArray[Any], ...]:
    """Return what ``function`` makes of all samples: one array for each array that it returns.

    Args:
        source: anything that :func:`~leaven.data.coercion.source_of` takes.
        function: called as ``function(*prepend_args, *batch)``; returns an array whose first axis counts samples, a
            tuple of such, or ``None`` for a batch that is left out. What it returns may be overwritten by its next
            call.
        batch_size: samples in a batch.
        shuffle: passed to the source.
        n_batches: ends after so many.
        progress: shows how far it is, see :data:`Progress`.
        prepend_args: go before the batch.
        work_pool: prepares the batches; ``function`` is called here. ``source.map(function)`` has the pool call it.

    Returns:
        As many arrays as ``function`` returns; none where there were no results.

    Raises:
        ParameterError: the source has no end and ``n_batches`` is not given, or a result is something else.
    """
    columns: list[list[NDArray[Any]]] = []
    with closing(_batches(source, batch_size, shuffle, n_batches, progress, work_pool)) as stream:
        for number, batch in enumerate(stream):
            parts = [_copied(part, number) for part in _parts(function(*prepend_args, *batch))]
            columns = columns or [[] for _ in parts]
            _check_count(number, len(parts), len(columns))
            for column, part in zip(columns, parts, strict=False):
                column.append(part)
    return tuple(map(_joined, columns))


def batch_map_mean(
    source: Any,
    function: Callable[..., Any],
    batch_size: int,
    *,
    sum_axis: int | tuple[int, ...] | None = None,
    shuffle: Any = None,
    n_batches: int | None = None,
    progress: Progress | None = None,
    prepend_args: Sequence[Any] = (),
    work_pool: AbstractWorkerPool | None = None,
) -> tuple[NDArray[Any], ...]:
    """Return the mean over all samples of what ``function`` makes of them.

    Args:
        source: anything that :func:`~leaven.data.coercion.source_of` takes.
        function: called as ``function(*prepend_args, *batch)``; returns the sum over the batch's samples, as a number
            or array, a tuple of such, or ``None`` for a batch that is left out, and does not count.
        batch_size: samples in a batch.
        sum_axis: axes over which results are summed first; 0 where ``function`` returns a value for each sample.
        shuffle: passed to the source.
        n_batches: ends after so many.
        progress: shows how far it is, see :data:`Progress`.
        prepend_args: go before the batch.
        work_pool: prepares the batches; ``function`` is called here.

    Returns:
        As many arrays of float64 (or complex128) as ``function`` returns, 0-D for numbers; none where there were no
        samples.

    Raises:
        ParameterError: the source has no end and ``n_batches`` is not given, or a result is something else.
    """
    totals: list[NDArray[Any]] = []
    samples = 0
    with closing(_batches(source, batch_size, shuffle, n_batches, progress, work_pool)) as stream:
        for number, batch in enumerate(stream):
            parts = [_summed(part, sum_axis, number) for part in _parts(function(*prepend_args, *batch))]
            if parts:
                totals = totals or [np.zeros_like(part) for part in parts]
                _check_count(number, len(parts), len(totals))
                totals = [_added(total, part, number) for total, part in zip(totals, parts, strict=True)]
                samples += length_of(batch)
    return tuple(np.asarray(total / samples) for total in totals) if samples else ()


def _batches(
    source: Any,
    batch_size: int,
    shuffle: Any,
    n_batches: int | None,
    progress: Progress | None,
    work_pool: AbstractWorkerPool | None,
) -> Generator[Any]:
    """Yield the batches, and end what prepares them."""
    found = source_of(source)
    total = _total(found, batch_size, n_batches)
    if work_pool is not None:
        found = source_of(work_pool.parallel_data_source(found))
    batches = found.batch_iterator(batch_size, shuffle)
    limited: Iterable[Any] = islice(batches, n_batches)
    try:
        yield from limited if progress is None else progress(limited, total=total, leave=False)
    finally:
        close = getattr(batches, "close", None)
        if close is not None:
            close()


def _total(source: Any, batch_size: int, n_batches: int | None) -> int | None:
    """Return how many batches there will be, where that is known."""
    if n_batches is not None and (type(n_batches) is not int or n_batches < 1):
        raise ParameterError(f"n_batches={n_batches!r}: expected a whole number, at least 1, or None")
    samples = count_of(source)
    if samples is None or samples == math.inf:
        if n_batches is None and samples is not None:
            raise ParameterError("the source has no end: n_batches says after how many batches to stop")
        return n_batches
    count = num_batches(int(samples), batch_size)
    return count if n_batches is None else min(count, n_batches)


def _parts(result: Any) -> tuple[Any, ...]:
    if result is None:
        return ()
    return result if isinstance(result, tuple) else (result,)


def _copied(part: Any, number: int) -> NDArray[Any]:
    found = np.array(part) if hasattr(part, "__array__") else None
    if found is None or not found.ndim:
        raise ParameterError(
            f"batch {number}: the function returned {type(part).__name__}: expected an array with a value for each "
            "sample, a tuple of such, or None"
        )
    return found


def _summed(part: Any, axis: int | tuple[int, ...] | None, number: int) -> NDArray[Any]:
    """Return a result in double precision, as an array of its own."""
    found = np.asarray(part) if hasattr(part, "__array__") or isinstance(part, (int, float, complex)) else None
    if found is None or found.dtype.kind not in "biufc":
        raise ParameterError(
            f"batch {number}: the function returned {type(part).__name__}: expected a number or an array of numbers, "
            "a tuple of such, or None"
        )
    exact = found.astype(np.result_type(found.dtype, np.float64))
    return exact if axis is None else np.asarray(exact.sum(axis))


def _added(total: NDArray[Any], part: NDArray[Any], number: int) -> NDArray[Any]:
    if total.shape != part.shape:
        raise ParameterError(
            f"batch {number}: a result of shape {part.shape}, and {total.shape} before; for a value for each sample, "
            "sum_axis=0 sums them"
        )
    return np.asarray(total + part)


def _check_count(number: int, found: int, expected: int) -> None:
    if found and found != expected:
        raise ParameterError(f"batch {number}: {found} results, and {expected} of those before")


def _joined(column: list[NDArray[Any]]) -> NDArray[Any]:
    kinds = {str(part.dtype): part.dtype.kind in "biufc" for part in column}
    if len(set(kinds.values())) > 1:  # numpy would make text of the numbers
        raise ParameterError(f"results of batches do not fit together: {' and '.join(kinds)}")
    try:
        return np.concatenate(column)
    except ValueError as error:
        raise ParameterError(f"results of batches do not fit together: {error}") from error
