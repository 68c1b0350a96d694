"""NoiseRGB and NoiseOther: noise as ops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.protocols import ImageInfo
from leaven_plugins.ops.noise.pool import add_pooled_noise
from leaven_plugins.ops.noise.reference import add_noise_other, add_noise_rgb
from leaven_plugins.ops.ranges import Range, check_probability, check_range, within


@dataclass(frozen=True)
class _Noise:
    keys: ClassVar[tuple[str, ...]] = ("noise",)
    _rgb: ClassVar[bool]

    noise_range: Range | None = None
    prob: float = 1.0
    pooled: bool = True

    def __post_init__(self) -> None:
        check_range("noise_range", self.noise_range)
        check_probability("prob", self.prob)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return ``noise``; 0 where there is no range for it."""
        whether, chance = random.random(2).tolist()
        if self.noise_range is None or whether >= self.prob:
            return {"noise": 0.0}
        return {"noise": within(self.noise_range, chance)}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is any noise."""
        return (values.get("noise") or 0) > 0

    def apply(self, image: NDArray[Any], values: Mapping[str, Any], random: np.random.Generator) -> NDArray[Any]:
        """Return the noisy image, clipped to its dtype's range ([0, 1] for floats)."""
        if self.pooled and image.dtype == np.uint8:
            return add_pooled_noise(image, values["noise"], random, self._rgb)
        add_noise = add_noise_rgb if self._rgb else add_noise_other
        return add_noise(image, values["noise"], random)


@dataclass(frozen=True)
class NoiseRGB(_Noise):
    """Adds noise as of a camera: green gets half of the strength, the others all of it at half resolution.

    It reads ``noise``: the amplitude, 1 is the dtype's whole range in both directions. Its own draw is used where the
    RNG gives no ``noise``, and there is a range.

    Args:
        noise_range: of the strength, within 0 and 1.
        prob: how often there is any.
        pooled: cut the noise of uint8 images out of a pool that was made once, instead of drawing each pixel's.

    Raises:
        ParameterError: the range is not two numbers, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "noise_rgb"
    _rgb: ClassVar = True
    example: ClassVar[Mapping[str, Any]] = {"noise_range": (0.05, 0.3)}


@dataclass(frozen=True)
class NoiseOther(_Noise):
    """Adds noise of the same strength to every channel, at full resolution. Otherwise as :class:`NoiseRGB`."""

    name: ClassVar = "noise_other"
    _rgb: ClassVar = False
    example: ClassVar[Mapping[str, Any]] = {"noise_range": (0.05, 0.3)}
