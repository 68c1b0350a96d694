"""Semi: samples with and without a label by turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leaven.errors import ParameterError, suggestion
from leaven_plugins.samplers.checks import check_lengths
from leaven_plugins.samplers.classes import labels_of
from leaven_plugins.samplers.draws import endless

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LENGTHS = ("labeled", "unlabeled", "all")


@dataclass(frozen=True)
class Semi:
    """Some samples with a label, then some without, and so on; both shuffled, and each in passes of their own.

    All samples with a label come before one of them comes again, and likewise those without. A label below 0 says that
    a sample has none.

    Args:
        labeled: how many with a label follow each other.
        unlabeled: how many without one come after these.
        length: a pass ends once all samples with a label have come (``labeled``), all those without one
            (``unlabeled``), or as many samples as the dataset has (``all``). Turns are always whole: what would not
            fill one is left to the next pass, but a pass has one turn at least.

    Raises:
        ParameterError: a parameter is out of range; or from ``over``: all samples have a label, or none has.
    """

    labeled: int = 1
    unlabeled: int = 1
    length: str = "labeled"

    def __post_init__(self) -> None:
        check_lengths("semi", labeled=self.labeled, unlabeled=self.unlabeled)
        if self.length not in _LENGTHS:
            raise ParameterError(
                f"semi: length={self.length!r}{suggestion(str(self.length), _LENGTHS)}; one of {', '.join(_LENGTHS)}"
            )

    def over(self, dataset: Any, seed: int) -> SemiPass:
        """Return the passes over ``dataset`` under one seed."""
        labels = labels_of("semi", dataset)
        (labeled,), (unlabeled,) = np.nonzero(labels >= 0), np.nonzero(labels < 0)
        if not len(labeled) or not len(unlabeled):
            raise ParameterError(
                f"semi: {len(labeled)} samples have a label, {len(unlabeled)} have none (a label below 0): "
                "expected some of both"
            )
        return SemiPass(
            (labeled, unlabeled), (int(self.labeled), int(self.unlabeled)), self._turns(labeled, unlabeled), seed
        )

    def _turns(self, labeled: NDArray[np.int64], unlabeled: NDArray[np.int64]) -> int:
        counts = {
            "labeled": len(labeled) // self.labeled,
            "unlabeled": len(unlabeled) // self.unlabeled,
            "all": (len(labeled) + len(unlabeled)) // (self.labeled + self.unlabeled),
        }
        return max(int(counts[self.length]), 1)


@dataclass(frozen=True, eq=False)
class SemiPass:
    """``turns`` times some members of the first group and some of the second.

    Args:
        groups: positions of the samples of both.
        counts: how many of each come in a turn.
        turns: in a pass.
        seed: of the orders.
    """

    groups: tuple[NDArray[np.int64], NDArray[np.int64]]
    counts: tuple[int, int]
    turns: int
    seed: int
    repeats: ClassVar[bool] = True

    @property
    def length(self) -> int:
        """Samples in a pass."""
        return self.turns * sum(self.counts)

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the samples at ``ranks`` of the epoch's order."""
        turns, within = np.divmod(ranks, sum(self.counts))
        turns += epoch * self.turns
        first = within < self.counts[0]
        found = np.empty_like(ranks)
        for number, (here, start) in enumerate(((first, 0), (~first, self.counts[0]))):
            places = turns[here] * self.counts[number] + within[here] - start
            members = self.groups[number]
            found[here] = members[endless(places, len(members), self.seed, number, 2)]
        return found
