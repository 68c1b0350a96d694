"""Repeated: each sample several times in a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leaven.protocols import Pass, Sampler
from leaven_plugins.samplers.checks import check_lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Repeated:
    """Shows each sample of another sampler's stream several times in a row, for batches with several views of it.

    A pass is as long as one of the other sampler: it has fewer samples, and the next one goes on with those that have
    not come.

    Args:
        times: how often each comes.
        sampler: which samples come when.

    Raises:
        ParameterError: ``times`` is out of range.
    """

    times: int = 2
    sampler: Sampler | str = "shuffle"

    def __post_init__(self) -> None:
        check_lengths("repeated", times=self.times)

    def over(self, dataset: Any, seed: int) -> RepeatedPass:
        """Return the passes over ``dataset`` under one seed."""
        return RepeatedPass(self._sampler().over(dataset, seed), self.times)

    def _sampler(self) -> Sampler:
        if not isinstance(self.sampler, str):
            return self.sampler
        from leaven import create  # the default of a parameter is a name still

        made: Sampler = create(self.sampler, kind="sampler")
        return made


@dataclass(frozen=True)
class RepeatedPass:
    """The stream of ``passes``, each sample of which comes ``times`` times."""

    passes: Pass
    times: int
    repeats: ClassVar[bool] = True

    @property
    def length(self) -> int:
        """Samples in a pass."""
        return self.passes.length

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the samples at ``ranks`` of the epoch's order."""
        places = (epoch * self.length + ranks) // self.times
        epochs, within = np.divmod(places, self.length)
        found = np.empty_like(ranks)
        for number in np.unique(epochs):  # at most two for the ranks of one pass
            here = epochs == number
            found[here] = self.passes.indices(int(number), within[here])
        return found
