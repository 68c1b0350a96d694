"""Tone: brightness, colour and contrast as an op."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.protocols import ImageInfo
from leaven_plugins.ops.ranges import Range, check_probability, check_range, within
from leaven_plugins.ops.tone.curve import human2gamma
from leaven_plugins.ops.tone.gamma import add_gamma


@dataclass(frozen=True)
class Tone:
    """Changes brightness, colour and contrast, by one lookup table.

    It reads ``gamma_gray`` (exponent of all channels), ``gamma_color`` (three exponents) and ``contrast`` (-1 to 1);
    ``gamma_color`` does not count for images of one channel, or where the draw says ``color: False``.

    Its own draw is used where the RNG gives none of these; it draws what there is a range for.

    Args:
        brightness_range: of the brightness as people count it, within -1 (black) and 1 (white).
        color_range: of the brightness of each channel.
        contrast_range: of the contrast, within -1 and 1.
        prob: how often each of them is drawn.

    Raises:
        ParameterError: a range is not two numbers, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "tone"
    keys: ClassVar[tuple[str, ...]] = ("gamma_gray", "gamma_color", "contrast")
    example: ClassVar[Mapping[str, Any]] = {
        "brightness_range": (-0.6, 0.6),
        "color_range": (-0.4, 0.4),
        "contrast_range": (-1, 1),
    }

    brightness_range: Range | None = None
    color_range: Range | None = None
    contrast_range: Range | None = None
    prob: float = 1.0

    def __post_init__(self) -> None:
        for name in ("brightness_range", "color_range", "contrast_range"):
            check_range(name, getattr(self, name))
        check_probability("prob", self.prob)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return values for the three keys; ``None``, or 0 for ``contrast``, where nothing is drawn."""
        gray, color, contrast, *chances = random.random(8).tolist()
        drawn: dict[str, Any] = {"gamma_gray": None, "gamma_color": None, "contrast": 0.0}
        if self.brightness_range and gray < self.prob:
            drawn["gamma_gray"] = human2gamma(within(self.brightness_range, chances[0]))
        if self.color_range and color < self.prob:
            drawn["gamma_color"] = [human2gamma(within(self.color_range, chance)) for chance in chances[1:4]]
        if self.contrast_range and contrast < self.prob:
            drawn["contrast"] = within(self.contrast_range, chances[4])
        return drawn

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether any of the three is given and not 0."""
        return bool(values.get("gamma_gray") or values.get("gamma_color") or values.get("contrast"))

    def apply(self, image: NDArray[Any], values: Mapping[str, Any], random: np.random.Generator) -> NDArray[Any]:
        """Return the changed image; ``random`` is not used.

        Raises:
            ImageError: the number of values in ``gamma_color`` does not fit the image.
        """
        color = bool(values.get("color", True)) and image.shape[2] > 1
        return add_gamma(image, color, values.get("gamma_gray"), values.get("gamma_color"), values.get("contrast"))
