"""A ``DataLoader`` whose batches are those of training and, where they are due, of evaluation."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from leaven.data.interleaved import Interleaved
from leaven.errors import ParameterError

if TYPE_CHECKING:
    from torch.utils.data import DataLoader

Collate = Callable[[list[Any]], Any]


def interleaved_loader(
    batches: Interleaved, datasets: Sequence[Any], collate: Sequence[Collate | None] | None = None, **options: Any
) -> DataLoader[Any]:
    """Return a ``DataLoader`` that yields pairs of a dataset's number and a batch of its samples.

    One loader with one set of workers, which prepare evaluation while training is still running.

    Args:
        batches: which samples come when.
        datasets: the main one, number 0, and that of each side; they have ``len`` and positions.
        collate: what makes a batch of a list of samples, for each dataset; ``None`` is torch's ``default_collate``.
        options: further arguments of ``DataLoader``, such as ``num_workers``.

    Raises:
        ParameterError: there are not as many datasets, or collate functions, as there should be, or a dataset does not
            have as many samples as its order goes over.
    """
    from torch.utils.data import DataLoader, default_collate

    orders = [batches.main, *(side.order for side in batches.sides)]
    lengths = [len(dataset) for dataset in datasets]
    if lengths != [order.size for order in orders]:
        raise ParameterError(f"datasets of {lengths} samples: expected {[order.size for order in orders]}")
    collates = [None] * len(orders) if collate is None else list(collate)
    if len(collates) != len(orders):
        raise ParameterError(f"{len(collates)} collate functions for {len(orders)} datasets")
    joined: Any = _Joined(datasets, list(accumulate(lengths, initial=0)))
    return DataLoader(
        joined,
        batch_sampler=_Lists(batches),
        collate_fn=_Collated([function or default_collate for function in collates]),
        **options,
    )


@dataclass(frozen=True)
class _Joined:
    """Datasets that follow each other; a sample comes with the number of its dataset."""

    datasets: Sequence[Any]
    starts: list[int]

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, position: int) -> tuple[int, Any]:
        number = bisect_right(self.starts, position) - 1
        return number, self.datasets[number][position - self.starts[number]]


@dataclass(frozen=True)
class _Collated:
    collates: list[Collate]

    def __call__(self, samples: list[tuple[int, Any]]) -> tuple[int, Any]:
        number = samples[0][0]
        return number, self.collates[number]([sample for _, sample in samples])


@dataclass(frozen=True)
class _Lists:
    """Batches as lists of Python's own numbers, which any dataset takes."""

    batches: Interleaved

    def __iter__(self) -> Iterator[list[int]]:
        return (batch.tolist() for batch in self.batches)
