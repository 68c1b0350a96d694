"""Tank: batches of a dataset for programs with a loop of their own, one after the other without end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.column_types import ColumnType
from leaven.data.fields import Fields, collated, fetched
from leaven.errors import ParameterError
from leaven.stream.order import permuted
from leaven.stream.ranks import rank_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

Item = dict[str, Any]
LAST = ("drop", "keep", "complete")


class Tank:
    """Batches of samples, made in this process: fetched, prepared, and put together.

    ::

        tank = Tank("train.hdf5", {"image": "vuint8", "label": "int64"}, batch_size=128, prep=decode)
        for step in range(90 * tank.mpe):
            batch = tank.next()

    Every pass is in another order, which the seed, the pass and nothing else decides. Several processes divide each
    batch among them: ``batch_size`` is that of one.

    Args:
        source: a path or whatever else :func:`leaven.open` takes, a dataset, or a mapping from names to arrays of one
            length.
        spec: names of fields and their types, such as ``"int64"``, ``"str"``, or ``"vuint8"`` for rows of any length.
        batch_size: samples in a batch.
        shuffle: whether each pass is in an order of chance; otherwise samples come as they are.
        in_same_size: whether the last batch of a pass is as large as the others; otherwise it has what is left.
        fetch: ``fetch(data, index)`` returns the fields of a sample, where ``data["label"][index]`` is one of them; by
            default all of ``spec``, each converted to its type.
        prep: ``prep(fields)`` returns them changed.
        collate: ``collate([fields, ...])`` returns the batch. By default a dict: arrays ``(batch_size, ...)``, and
            lists for variable fields and text.
        seed: of the order.
        rank, world_size: which of how many processes this one is; by default as torchrun says, or else one alone.
        last: what becomes of a last batch that is not full: ``"drop"``, ``"complete"`` (by the first samples of the
            same pass), ``"keep"``. By default, it is dropped where ``in_same_size``, and kept otherwise. Where
            processes cannot divide evenly what is kept, the first samples of the pass come once more.
        feed: spec of a feed, through which each batch goes: ``"torch"`` for tensors.

    Raises:
        ParameterError: a parameter is not what it has to be, or there are not enough samples for one batch.
        DatasetError: the source cannot be opened.
    """

    def __init__(
        self,
        source: str | Path | Mapping[str, Any] | Any,
        spec: Mapping[str, str],
        batch_size: int,
        shuffle: bool = True,
        in_same_size: bool = True,
        fetch: Callable[[Any, int], Item] | None = None,
        prep: Callable[[Item], Item] | None = None,
        collate: Callable[[Sequence[Item]], Any] | None = None,
        *,
        seed: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
        last: str | None = None,
        feed: Any = None,
    ) -> None:
        self._types = _types_of(spec)
        self._shuffle = shuffle
        self._fetch = fetch
        self._prep = prep
        self._collate = collate
        self._seed = seed
        self._last = _last(last, in_same_size)
        self._rank, self._world_size = _checked_rank(*rank_of(rank, world_size))
        self._batch_size = _at_least_one("batch_size", batch_size)
        self._feed = _feed_of(feed)
        self._data = Fields(source, self._types)
        self._length = len(self._data)
        self._at = 0
        if not self._length or self.mpe == 0:
            self.close()
            raise ParameterError(
                f"{self._length} samples do not fill one batch of {self._batch_size}"
                f"{f' in each of {self._world_size} processes' if self._world_size > 1 else ''}: "
                f"last='complete' repeats some, in_same_size=False takes what there is"
            )

    def __len__(self) -> int:
        """Return the number of samples."""
        return self._length

    @property
    def mpe(self) -> int:
        """How many batches make up one pass over the data ("miles per epoch")."""
        together = self._batch_size * self._world_size
        return self._length // together if self._last == "drop" else -(-self._length // together)

    @property
    def epoch(self) -> int:
        """How many passes have been completed."""
        return self._at // self.mpe

    def next(self) -> Any:
        """Return the next batch; after ``mpe`` of them another pass begins."""
        epoch, number = divmod(self._at, self.mpe)
        batch = self._batch(self._indices(epoch, number).tolist())
        self._at += 1
        return batch

    def __next__(self) -> Any:
        return self.next()

    def __iter__(self) -> Iterator[Any]:
        """Yield the batches of one pass: all of it, or what is left of one that has begun."""
        epoch = self.epoch
        while self.epoch == epoch:
            yield self.next()

    def close(self) -> None:
        """Close the dataset if the tank has opened it; the next batch opens it again."""
        self._data.close()

    def _indices(self, epoch: int, number: int) -> NDArray[np.int64]:
        """Return the samples of this process's part of a batch."""
        together = self._batch_size * self._world_size
        left = self._length - number * together
        size = self._batch_size
        if self._last == "keep" and left < together:
            size = -(-left // self._world_size)
        ranks = (number * together + self._rank * size + np.arange(size, dtype=np.int64)) % self._length
        return permuted(ranks, self._length, self._seed, epoch) if self._shuffle else ranks

    def _batch(self, indices: Sequence[int]) -> Any:
        items = [self._item(index) for index in indices]
        batch = self._collate(items) if self._collate else collated(items, self._types)
        return self._feed(batch) if self._feed else batch

    def _item(self, index: int) -> Item:
        item = self._fetch(self._data, index) if self._fetch else fetched(self._data, self._types, index)
        return self._prep(item) if self._prep else item


def _types_of(spec: Mapping[str, str]) -> dict[str, ColumnType]:
    if not isinstance(spec, Mapping) or not spec:
        raise ParameterError(f"spec must be a mapping such as {{'image': 'vuint8', 'label': 'int64'}}, not {spec!r}")
    return {name: ColumnType.of(kind) for name, kind in spec.items()}


def _last(last: str | None, in_same_size: bool) -> str:
    if last is None:
        return "drop" if in_same_size else "keep"
    if last not in LAST:
        raise ParameterError(f"last={last!r}: expected one of {', '.join(map(repr, LAST))}")
    if (last == "keep") is in_same_size:
        raise ParameterError(f"last={last!r} and in_same_size={in_same_size} exclude each other")
    return last


def _checked_rank(rank: int, world_size: int) -> tuple[int, int]:
    _at_least_one("world_size", world_size)
    if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank < world_size:
        raise ParameterError(f"rank={rank!r}: expected a whole number from 0 to {world_size - 1}")
    return rank, world_size


def _at_least_one(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"{name}={value!r}: expected a whole number, at least 1")
    return value


def _feed_of(feed: Any) -> Callable[[Any], Any] | None:
    if feed is None:
        return None
    from leaven.registry.registry import create

    made: Callable[[Any], Any] = create(feed, kind="feed")
    return made
