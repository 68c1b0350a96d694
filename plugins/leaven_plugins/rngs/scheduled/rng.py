"""Scheduled: another RNG's draws, stronger or weaker from epoch to epoch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from leaven.errors import ParameterError
from leaven.protocols import Rng
from leaven_plugins.ops.ranges import check_probability
from leaven_plugins.rngs.epochs import at_epoch
from leaven_plugins.rngs.fitting import check_fit
from leaven_plugins.rngs.scaled.rng import Scaled

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec


@dataclass(frozen=True)
class Scheduled:
    """Draws what another RNG draws, with a strength that goes from ``start`` to ``end`` along a straight line.

    An epoch is a pass over the whole dataset. The strength is that of
    :class:`~leaven_plugins.rngs.scaled.rng.Scaled`.

    Args:
        rng: whose draws to make weaker.
        epochs: after so many, the strength is ``end``, and stays.
        start: strength in the first epoch, 0 to 1.
        end: strength in the last ones, 0 to 1.

    Raises:
        ParameterError: ``epochs`` is not positive, or a strength not within 0 and 1.
    """

    example: ClassVar[Mapping[str, Any]] = {"rng": "augmentation_all", "epochs": 5}

    rng: Rng
    epochs: int
    start: float = 0.0
    end: float = 1.0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise ParameterError(f"epochs is {self.epochs}; it has to be positive")
        check_probability("start", self.start)
        check_probability("end", self.end)

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of one image in the first epoch; workers ask :meth:`at_epoch` for those of others."""
        return self.at_epoch(0).draw(info, spec, random)

    def at_epoch(self, epoch: int) -> Scaled:
        """Return what draws in one epoch; the first is 0."""
        progress = min(epoch / self.epochs, 1.0)
        return Scaled(at_epoch(self.rng, epoch), self.start + (self.end - self.start) * progress)

    def check(self, fixed: Collection[str], keys: Collection[str]) -> None:
        """Check what the other RNG checks."""
        check_fit(self.rng, fixed, keys)
