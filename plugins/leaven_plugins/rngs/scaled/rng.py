"""Scaled: another RNG's draws, weaker."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from leaven.protocols import Rng
from leaven_plugins.ops.ranges import check_probability
from leaven_plugins.rngs.epochs import at_epoch
from leaven_plugins.rngs.fitting import check_fit
from leaven_plugins.rngs.weakening import weakened

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec


@dataclass(frozen=True)
class Scaled:
    """Draws what another RNG draws, weaker.

    Angles, shears, offsets, contrast, noise, blur and hue are multiplied by ``strength``; the logarithms of scale,
    aspect and gammas too, and the distances of factors from 1. What is done or not, such as mirrors, is done so much
    more seldom. With ``strength`` 0 nothing is left. Keys that other packages' RNGs draw for their own ops stay as
    they are.

    Args:
        rng: whose draws to make weaker.
        strength: 0 to 1.

    Raises:
        ParameterError: ``strength`` is not within 0 and 1.
    """

    example: ClassVar[Mapping[str, Any]] = {"rng": "augmentation_all", "strength": 0.3}

    rng: Rng
    strength: float = 1.0

    def __post_init__(self) -> None:
        check_probability("strength", self.strength)

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of one image."""
        values = self.rng.draw(info, spec, random)
        return weakened(values, self.strength, (info.height, info.width), spec.shape[-2:], random)

    def at_epoch(self, epoch: int) -> Scaled:
        """Return what draws in one epoch."""
        return replace(self, rng=at_epoch(self.rng, epoch))

    def check(self, fixed: Collection[str], keys: Collection[str]) -> None:
        """Check what the other RNG checks."""
        check_fit(self.rng, fixed, keys)
