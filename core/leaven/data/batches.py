"""Batches: the samples of whatever data there is, some at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.batch_shape import length_of
from leaven.data.index_batches import ENDLESS, check_batch_size, check_repeats, num_batches
from leaven.data.orders import order_of
from leaven.data.rows import Rows, rows_of, with_indices
from leaven.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Sampler
    from leaven.stream.order import Order


def batches(
    source: Any,
    batch_size: int,
    *,
    shuffle: bool = False,
    sampler: Sampler | str | Mapping[str, Any] | None = None,
    seed: int = 0,
    repeats: int = 1,
    indices: Sequence[int] | NDArray[Any] | None = None,
    include_indices: bool = False,
    drop_last: bool = False,
    rank: int = 0,
    world_size: int = 1,
) -> Batches:
    """Return the batches of data, for ``for``; also ``leaven.batches``.

    ::

        for images, labels in leaven.batches([images, labels], 64, shuffle=True):
            ...

    A batch of an array is an array, one of several arrays a tuple, and one of a mapping of arrays, or of a dataset, a
    dict. The fields of a dataset's samples are stacked where they are numbers, or arrays of one shape and dtype, and
    lists otherwise. Batches run across the ends of passes, and only the last one may be smaller.

    Each ``for`` goes on with the passes after those of the one before, so that all are shuffled in other ways. The same
    arguments give the same batches again.

    Args:
        source: an array; arrays of one length in a list, tuple or mapping; a dataset, its name or path; or a source, as
            in :mod:`leaven.data.sources`, which says itself what its samples are: ``sampler``, ``repeats``,
            ``indices``, ``include_indices`` and ranks are not for those.
        batch_size: samples in a batch.
        shuffle: a new order for each pass: ``sampler="shuffle"``.
        sampler: spec, table or instance of kind ``sampler``: which sample comes when.
        seed: of shuffling.
        repeats: how many passes a ``for`` makes; ``-1`` has no end.
        indices: positions of the samples that are used; ``sampler="subset"``.
        include_indices: adds the samples' positions, int64: in front of arrays, in dicts as ``index``.
        drop_last: leaves out a last batch that is not full.
        rank: which share of each pass is made: every ``world_size``-th sample from this one on.
        world_size: how many shares there are, all of the same length: the first samples of a pass come again where
            that does not come out even.

    Raises:
        ParameterError: this is no data, or a value is out of range, or values do not go together.
        LookupFailed: a name does not lead to a component.
    """
    check_batch_size(batch_size)
    check_repeats(repeats)
    if not isinstance(shuffle, bool) or isinstance(seed, bool) or not isinstance(seed, int):
        raise ParameterError(f"shuffle={shuffle!r}, seed={seed!r}: expected a bool and a whole number")
    if hasattr(source, "batch_iterator"):
        given = {"sampler": sampler, "indices": indices, "include_indices": include_indices or None}
        _refuse({**given, "repeats": None if repeats == 1 else repeats, "world_size": None if world_size == 1 else 1})
        return _of_source(source, batch_size, seed if shuffle else None, drop_last)
    rows = rows_of(source)
    if not len(rows.dataset):
        return Batches(lambda turn: iter(()), 0)
    order = order_of(rows.dataset, _sampler(shuffle, sampler, indices), seed, rank, world_size)
    return _of_rows(rows, order, batch_size, repeats, include_indices, drop_last)


class Batches:
    """An iterable over batches; made by :func:`batches`."""

    def __init__(self, begin: Callable[[int], Iterator[Any]], length: int | None) -> None:
        self._begin = begin
        self._length = length
        self._turn = 0

    def __len__(self) -> int:
        if self._length is None:
            raise TypeError("how many batches there are is known to the source alone, or they have no end")
        return self._length

    def __iter__(self) -> Iterator[Any]:
        turn, self._turn = self._turn, self._turn + 1
        return self._begin(turn)


def _sampler(shuffle: bool, sampler: Any, indices: Any) -> Any:
    if sampler is not None:
        if shuffle or indices is not None:
            raise ParameterError("a sampler alone says which sample comes when: no shuffle=True, no indices")
        return sampler
    if indices is not None:
        return {"use": "subset", "indices": indices, "shuffle": bool(shuffle)}
    return "shuffle" if shuffle else "sequential"


def _of_rows(
    rows: Rows, order: Order, batch_size: int, repeats: int, include_indices: bool, drop_last: bool
) -> Batches:
    total = None if repeats == ENDLESS else order.length * repeats
    length = None if total is None else total // batch_size if drop_last else num_batches(total, batch_size)

    def begin(turn: int) -> Iterator[Any]:
        first = 0 if total is None else turn * total
        try:
            for number in count() if length is None else range(length):
                start = first + number * batch_size
                stop = start + batch_size if total is None else min(start + batch_size, first + total)
                indices = order.cells(start, stop).indices
                batch = rows.take(indices)
                yield with_indices(batch, indices) if include_indices else batch
        finally:
            if rows.opened:
                rows.dataset.close()

    return Batches(begin, length)


def _of_source(source: Any, batch_size: int, seed: int | None, drop_last: bool) -> Batches:
    def begin(turn: int) -> Iterator[Any]:
        found = source.batch_iterator(batch_size, None if seed is None else np.random.default_rng([seed, turn]))
        return (batch for batch in found if length_of(batch) == batch_size) if drop_last else iter(found)

    return Batches(begin, None)


def _refuse(given: Mapping[str, Any]) -> None:
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise ParameterError(f"{', '.join(named)}: not for a source, which says itself what its samples are")
