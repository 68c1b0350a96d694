"""Subset: some of the samples, by their positions."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from leaven.stream.order import permuted
from leaven_plugins.samplers.checks import positions_in

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Subset:
    """Every pass has the samples at ``indices``, and no others.

    Args:
        indices: positions in the dataset, one or more; one that is there twice comes twice.
        shuffle: a new order for each pass; otherwise that of ``indices``.

    Raises:
        ParameterError: from ``over``, where ``indices`` are no positions in the dataset.
    """

    rest: ClassVar[str] = "indices"

    indices: Sequence[int]
    shuffle: bool = False

    def over(self, dataset: Sized, seed: int) -> SubsetPass:
        """Return the passes over ``dataset`` under one seed."""
        members = positions_in("subset", self.indices, len(dataset))
        return SubsetPass(members, seed if self.shuffle else None, len(np.unique(members)) < len(members))


@dataclass(frozen=True, eq=False)
class SubsetPass:
    """``members`` in order, or where there is a seed, in an order of its own for each epoch."""

    members: NDArray[np.int64]
    seed: int | None
    repeats: bool

    @property
    def length(self) -> int:
        """How many members there are."""
        return len(self.members)

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the members at ``ranks`` of the epoch's order."""
        if self.seed is None:
            return self.members[ranks]
        return self.members[permuted(ranks, len(self.members), self.seed, epoch)]
