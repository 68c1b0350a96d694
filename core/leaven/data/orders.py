"""The order in which a sampler goes over data, whole or the share of one of several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leaven.errors import ParameterError
from leaven.stream.order import Order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from leaven.protocols import Pass, Sampler


def order_of(
    dataset: Sized,
    sampler: Sampler | str | Mapping[str, Any] = "sequential",
    seed: int = 0,
    rank: int = 0,
    world_size: int = 1,
) -> Order:
    """Return the endless stream of a sampler's passes over a dataset.

    Args:
        dataset: what is gone over, with at least one sample.
        sampler: spec, table or instance of kind ``sampler``.
        seed: of what is left to chance.
        rank: which share of it.
        world_size: into how many shares each pass is cut.

    Raises:
        LookupFailed: a name does not lead to a sampler.
        ParameterError: a pass has no samples, or there is no such share.
    """
    from leaven.registry.registry import default_registry

    made = default_registry().create(sampler, kind="sampler")
    order = Order.of(made, dataset, seed)
    return (
        order if (rank, world_size) == (0, 1) else Order(Share(order.passes, rank, world_size), order.size, order.name)
    )


@dataclass(frozen=True)
class Share:
    """Every ``world_size``-th sample of each pass, from ``rank`` on: all shares together are the whole pass.

    All are equally long: where that does not come out even, the pass's first samples come again at its end.

    Args:
        passes: what is shared.
        rank: which share.
        world_size: how many there are.

    Raises:
        ParameterError: there is no such share.
    """

    passes: Pass
    rank: int
    world_size: int

    def __post_init__(self) -> None:
        if type(self.rank) is not int or type(self.world_size) is not int or not 0 <= self.rank < self.world_size:
            raise ParameterError(
                f"rank={self.rank!r}, world_size={self.world_size!r}: expected whole numbers, 0 <= rank < world_size"
            )

    @property
    def length(self) -> int:
        """Samples of one share of a pass."""
        return -(-self.passes.length // self.world_size)

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the samples at ``ranks`` of this share of the epoch."""
        return self.passes.indices(epoch, (ranks * self.world_size + self.rank) % self.passes.length)
