"""Sequential: the samples as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sized

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Sequential:
    """Every pass goes through the dataset from its first sample to its last."""

    def over(self, dataset: Sized, seed: int) -> SequentialPass:
        """Return the passes over ``dataset``; the seed plays no part."""
        return SequentialPass(len(dataset))


@dataclass(frozen=True)
class SequentialPass:
    """Sample ``i`` comes at rank ``i``."""

    length: int

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``ranks``."""
        return ranks
