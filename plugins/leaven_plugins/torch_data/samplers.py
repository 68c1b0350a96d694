"""Samplers for ``torch.utils.data.DataLoader``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sized
from typing import Any

from leaven.data.orders import order_of
from leaven.protocols import Sampler
from leaven.stream.order import Order
from leaven.stream.ranks import rank_of

_AT_ONCE = 1024  # positions that are looked up at a time: of many, one costs 0.1 us instead of 1


def as_torch_sampler(
    sampler: Sampler | str | Mapping[str, Any],
    dataset: Sized,
    seed: int = 0,
    rank: int | None = None,
    world_size: int | None = None,
) -> TorchSampler:
    """Return what a ``DataLoader`` takes as ``sampler=``.

    Args:
        sampler: spec, table or instance of kind ``sampler``.
        dataset: what it goes over, with at least one sample.
        seed: of what is left to chance.
        rank: of this process among those that train together, each of which gets a share of each pass; ``None``: as
            torchrun says in the environment, else 0.
        world_size: how many such processes there are, by default likewise or 1. All get equally many samples: the
            first ones of a pass come again where that does not come out even.

    Raises:
        LookupFailed: a name does not lead to a sampler.
        ParameterError: a pass has no samples, or there is no such share.
    """
    return TorchSampler(order_of(dataset, sampler, seed, *rank_of(rank, world_size)))


class TorchSampler:
    """The passes of an order, one for each iteration; made by :func:`as_torch_sampler`.

    Args:
        order: which samples come when.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Let the next iteration be pass ``epoch``; without, each is the one after the last."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return how many samples a pass has."""
        return self._order.length

    def __iter__(self) -> Iterator[int]:
        """Return an iterator over the positions of one pass."""
        epoch, self._epoch = self._epoch, self._epoch + 1
        return self._positions(epoch * len(self), (epoch + 1) * len(self))

    def _positions(self, first: int, last: int) -> Iterator[int]:
        for start in range(first, last, _AT_ONCE):
            yield from self._order.cells(start, min(start + _AT_ONCE, last)).indices.tolist()
