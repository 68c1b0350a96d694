"""The passes of draws by weight, with and without replacement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from leaven_plugins.samplers.draws import uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Drawn:
    """With replacement: each rank has a draw of its own.

    Args:
        cumulative: sums of the weights so far, float64, the last of which is 1.
        members: which samples the weights are of; ``None`` for the first one of the dataset on.
        length: samples in a pass.
        seed: of the draws.
    """

    cumulative: NDArray[np.float64]
    members: NDArray[np.int64] | None
    length: int
    seed: int
    repeats: ClassVar[bool] = True

    @classmethod
    def of(cls, weights: NDArray[np.float64], members: NDArray[np.int64] | None, length: int, seed: int) -> Drawn:
        """Return the passes of draws by ``weights``."""
        sums = np.cumsum(weights)
        return cls(sums / sums[-1], members, length, seed)

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what is drawn at ``ranks`` of the epoch."""
        drawn = uniform(ranks, self.seed, epoch)
        found = np.searchsorted(self.cumulative, drawn, side="right")  # "right" passes over weights of 0
        return found if self.members is None else self.members[found]


@dataclass(frozen=True, eq=False)
class DrawnOnce:
    """Without replacement: a race of all samples, each of which takes a time with a mean of 1 / weight.

    The order in which they come in is that of drawing one after the other among those that are left (Efraimidis and
    Spirakis, "Weighted random sampling with a reservoir", IPL 2006).

    Args:
        weights: float64, 1-D, at least 0.
        members: as for :class:`Drawn`.
        length: samples in a pass, at most as many as there are weights above 0.
        seed: of the draws.
    """

    weights: NDArray[np.float64]
    members: NDArray[np.int64] | None
    length: int
    seed: int
    _last: list[tuple[int, NDArray[np.int64]]] = field(default_factory=list, init=False, repr=False)

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return who comes in at ``ranks`` of the epoch."""
        return self._order(epoch)[ranks]

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Return the epoch's order; that of the last one asked for is kept, since it costs a sort."""
        for known, order in self._last:
            if known == epoch:
                return order
        order = self._race(epoch)
        self._last[:] = [(epoch, order)]
        return order

    def _race(self, epoch: int) -> NDArray[np.int64]:
        drawn = uniform(np.arange(len(self.weights)), self.seed, epoch)
        with np.errstate(divide="ignore", over="ignore"):  # a weight of 0 takes forever
            times = np.where(self.weights > 0, -np.log1p(-drawn) / self.weights, np.inf)
        order = np.argsort(times, kind="stable")[: self.length]
        return order if self.members is None else self.members[order]
