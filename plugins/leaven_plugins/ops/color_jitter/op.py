"""ColorJitter: brightness, contrast, saturation and hue by factors, in a drawn order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.factors.op import brighten, contrast_factor, saturate
from leaven_plugins.ops.hue.op import turn_hue
from leaven_plugins.ops.ranges import Range, check_range

Image = NDArray[Any]

STEPS: dict[str, Callable[[Image, float], Image]] = {
    "brighten": brighten,
    "contrast_factor": contrast_factor,
    "saturate": saturate,
    "hue": turn_hue,
}
"""What there is to be done, by the names of the ops that do one of them alone."""


@dataclass(frozen=True)
class ColorJitter:
    """Changes brightness, contrast, saturation and hue, in a drawn order.

    It reads ``color_jitter``: a table of the names ``brighten``, ``contrast_factor``, ``saturate`` (factors, 1 is as it
    was) and ``hue`` (degrees) to their values, in the order in which they are done. Its own draw is used where the RNG
    gives none.

    Args:
        brighten_range: of the factor of ``op:brighten``.
        contrast_factor_range: of the factor of ``op:contrast_factor``.
        saturate_range: of the factor of ``op:saturate``.
        hue_range: of the angle of ``op:hue``, in degrees.

    Raises:
        ParameterError: a range is not two numbers, or a factor's is below 0.
    """

    name: ClassVar = "color_jitter"
    keys: ClassVar[tuple[str, ...]] = ("color_jitter",)
    example: ClassVar[Mapping[str, Any]] = {
        "brighten_range": (0.5, 1.5),
        "contrast_factor_range": (0.5, 1.5),
        "saturate_range": (0.3, 1.7),
        "hue_range": (-25, 25),
    }

    brighten_range: Range | None = None
    contrast_factor_range: Range | None = None
    saturate_range: Range | None = None
    hue_range: Range | None = None

    def __post_init__(self) -> None:
        for step in STEPS:
            limits = getattr(self, f"{step}_range")
            check_range(f"{step}_range", limits)
            if limits is not None and step != "hue" and min(limits) < 0:
                raise ParameterError(f"{step}_range is {limits!r}; factors are not negative")

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return a value for each step that has a range, in a drawn order."""
        order = random.permutation(len(STEPS)).tolist()
        ranges = {step: getattr(self, f"{step}_range") for step in STEPS}
        drawn = {step: random.uniform(*limits) for step, limits in ranges.items() if limits is not None}
        steps = [step for step in (list(STEPS)[i] for i in order) if step in drawn]
        return {"color_jitter": {step: drawn[step] for step in steps}}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is a step to be done."""
        return bool(values.get("color_jitter"))

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image after all steps; ``random`` is not used.

        Raises:
            ImageError: a step does not exist.
        """
        for step, value in values["color_jitter"].items():
            if step not in STEPS:
                raise ImageError(f"color_jitter has no step {step!r}; there are {', '.join(STEPS)}")
            image = STEPS[step](image, value)
        return image
