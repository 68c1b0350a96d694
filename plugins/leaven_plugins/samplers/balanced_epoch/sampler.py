"""BalancedEpoch: each class as often as the others, in every pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from leaven.stream.order import permuted
from leaven_plugins.samplers.checks import check_lengths
from leaven_plugins.samplers.classes import Members, check_labelled, labels_of, members_of
from leaven_plugins.samplers.draws import endless

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class BalancedEpoch:
    """Every pass has as many samples of each class that occurs as of the others.

    All samples of a class come before one of them comes again, also from pass to pass: where a pass has fewer of a
    class than there are, the next one goes on with the others.

    Args:
        samples_per_class: how many; by default as many as the largest class has.
        shuffle: a new order for each pass; otherwise class by class, in the order of the dataset.

    Raises:
        ParameterError: ``samples_per_class`` is out of range; or from ``over``: labels are missing or below 0.
    """

    samples_per_class: int | None = None
    shuffle: bool = True

    def __post_init__(self) -> None:
        if self.samples_per_class is not None:
            check_lengths("balanced_epoch", samples_per_class=self.samples_per_class)

    def over(self, dataset: Any, seed: int) -> BalancedPass:
        """Return the passes over ``dataset`` under one seed."""
        labels = labels_of("balanced_epoch", dataset)
        check_labelled("balanced_epoch", labels)
        members = members_of(labels)
        return BalancedPass(
            members, int(self.samples_per_class or members.counts.max()), seed if self.shuffle else None
        )


@dataclass(frozen=True, eq=False)
class BalancedPass:
    """Of each class, ``times`` samples; shuffled where there is a seed.

    Args:
        members: the samples of each class.
        times: how many of each come in a pass.
        seed: of the orders, or ``None``.
    """

    members: Members
    times: int
    seed: int | None
    repeats: ClassVar[bool] = True

    @property
    def length(self) -> int:
        """Samples in a pass."""
        return len(self.members.counts) * self.times

    def indices(self, epoch: int, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the samples at ``ranks`` of the epoch's order."""
        streams = len(self.members.counts) + 1  # those of the classes, and the last one for the order among them
        places = ranks
        if self.seed is not None:
            places = permuted(ranks, self.length, self.seed, epoch * streams + streams - 1)
        classes, within = np.divmod(places, self.times)
        within += epoch * self.times
        counts = self.members.counts[classes]
        chosen = within % counts if self.seed is None else endless(within, counts, self.seed, classes, streams)
        found: NDArray[np.int64] = self.members.positions[self.members.starts[classes] + chosen]
        return found
