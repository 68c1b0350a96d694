"""MixtureRNG: geometry for every image, each pixel augmentation with a probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import inf
from typing import TYPE_CHECKING, Any, ClassVar

from leaven.errors import ParameterError
from leaven_plugins.ops.interpolation import LINEAR, check_interpolation, interpolation
from leaven_plugins.ops.ranges import Range, check_probability, check_range, within
from leaven_plugins.ops.tone.curve import human2gamma

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec

PIXEL_KEYS = ("gamma_gray", "noise", "blur")
"""One key of each pixel operation, in the fixed order."""

_ORDERS = ("random", "fixed")
_ASPECT_LIMITS = (0.1, 10.0)  # a normal distribution reaches 0 and below


@dataclass(frozen=True)
class MixtureRNG:
    """Draws geometry for every image, and each pixel augmentation with the probability ``prob``.

    A draw has always the same keys, as plain numbers, lists and booleans: ``angle, scale, aspect, shear, shift,
    interp_method, hmirror, vmirror``; ``gamma_gray`` and ``gamma_color`` (``None`` where not drawn), ``contrast``,
    ``noise`` and ``blur`` (0 where not drawn); ``order``, the order of the pixel operations, each by one of its keys.

    Args:
        prob: how often each pixel augmentation is drawn; geometry always is.
        scale_range: of the scale; 1 just covers the target.
        shift_range: of the vertical and the horizontal shift, -1 to 1 are the image's borders.
        noise_range: of the strength of noise, within 0 and 1.
        brightness_range: of the brightness as people count it, -1 black to 1 white.
        color_range: of the brightness of each channel.
        contrast_range: of the contrast, within -1 and 1.
        blur_range: of the blur's sigma, relative to the image's width.
        rotation_sigma: standard deviation of the angle in degrees.
        aspect_sigma: standard deviation of the aspect around 1; drawn aspects are kept within 0.1 and 10.
        interpolations: methods to choose from, by number or name; only linear by default.
        hmirror: probability that left and right are exchanged.
        vmirror: probability that top and bottom are exchanged.
        shear_range: of both shears.
        order: ``"random"`` draws the order of the pixel operations, ``"fixed"`` leaves it.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    example: ClassVar[Mapping[str, Any]] = {
        "prob": 0.5,
        "scale_range": (0.7, 1.8),
        "shift_range": (-1, 1),
        "noise_range": (0.03, 0.15),
        "brightness_range": (-0.5, 0.5),
        "color_range": (-0.3, 0.3),
        "contrast_range": (-1, 1),
        "blur_range": (0.75 / 224, 0.01),
        "rotation_sigma": 12,
        "aspect_sigma": 0.12,
        "hmirror": 0.5,
        "vmirror": 0.2,
        "shear_range": (-0.25, 0.25),
    }

    prob: float = 1
    scale_range: Range | None = None
    shift_range: Range | None = None
    noise_range: Range | None = None
    brightness_range: Range | None = None
    color_range: Range | None = None
    contrast_range: Range | None = None
    blur_range: Range | None = None
    rotation_sigma: float = 0
    aspect_sigma: float = 0
    interpolations: Sequence[int | str] | None = None
    hmirror: float = 0
    vmirror: float = 0
    shear_range: Range | None = None
    order: str = "random"

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self) if field.name.endswith("_range")):
            check_range(name, getattr(self, name))
        for name in ("prob", "hmirror", "vmirror"):
            check_probability(name, getattr(self, name))
        for name in ("rotation_sigma", "aspect_sigma"):
            if not 0 <= getattr(self, name) < inf:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; a standard deviation is not negative")
        if self.scale_range is not None and min(self.scale_range) <= 0:
            raise ParameterError(f"scale_range is {self.scale_range!r}; scales have to be positive")
        if self.order not in _ORDERS:
            raise ParameterError(f"order is {self.order!r}; it has to be one of {', '.join(_ORDERS)}")
        for method in self.interpolations or ():
            check_interpolation("interpolations", method)

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of one image; neither ``info`` nor ``spec`` is looked at."""
        angle, aspect = random.standard_normal(2).tolist()
        chances = _Chances(random)
        return {
            "angle": angle * self.rotation_sigma,
            "scale": chances.number(self.scale_range, 1.0),
            "aspect": min(max(1 + aspect * self.aspect_sigma, _ASPECT_LIMITS[0]), _ASPECT_LIMITS[1]),
            "shear": chances.numbers(self.shear_range, 2),
            "shift": chances.numbers(self.shift_range, 2),
            "interp_method": interpolation(chances.choice(self.interpolations or (LINEAR,))),
            "hmirror": chances.happens(self.hmirror),
            "vmirror": chances.happens(self.vmirror),
            **self._pixels(chances),
            "order": chances.shuffled(PIXEL_KEYS) if self.order == "random" else list(PIXEL_KEYS),
        }

    def _pixels(self, chances: _Chances) -> dict[str, Any]:
        gray, color = (chances.happens(self.prob) for _ in range(2))
        brightness = chances.number(self.brightness_range)
        colors = chances.numbers(self.color_range, 3)
        return {
            "gamma_gray": human2gamma(brightness) if gray and brightness is not None else None,
            "gamma_color": [human2gamma(value) for value in colors] if color and colors is not None else None,
            "contrast": chances.sometimes(self.prob, self.contrast_range),
            "noise": chances.sometimes(self.prob, self.noise_range),
            "blur": chances.sometimes(self.prob, self.blur_range),
        }


class _Chances:
    """Uniform numbers, handed out one after the other.

    Each is used up even where nothing depends on it, so that one augmentation more or less leaves the others as
    they are.
    """

    _COUNT = 23  # one call for all costs 1 us, one call for each 20

    def __init__(self, random: np.random.Generator) -> None:
        numbers: list[float] = random.random(self._COUNT).tolist()
        self._next = iter(numbers).__next__

    def happens(self, probability: float) -> bool:
        return self._next() < probability

    def number(self, limits: Range | None, default: float | None = None) -> Any:
        chance = self._next()
        return default if limits is None else within(limits, chance)

    def numbers(self, limits: Range | None, count: int) -> list[float] | None:
        chances = [self._next() for _ in range(count)]
        return None if limits is None else [within(limits, chance) for chance in chances]

    def sometimes(self, probability: float, limits: Range | None) -> float:
        happens, number = self.happens(probability), self.number(limits, 0.0)
        return number if happens else 0.0

    def choice(self, options: Sequence[int | str]) -> int | str:
        return options[int(self._next() * len(options))]

    def shuffled(self, names: Sequence[str]) -> list[str]:
        return [name for _, name in sorted((self._next(), name) for name in names)]
