"""Works: what is done to each image. Every peer takes the parameters from here, so that all do the same."""

from __future__ import annotations

from math import sqrt
from typing import Any, NamedTuple

SIZE = 224
"""Height and width of what comes out: uint8, channels first."""

AREA = (0.08, 1.0)
"""Of a random crop, as a share of the image's."""
RATIO = (3 / 4, 4 / 3)
"""Of a random crop's width by its height; its logarithm is uniform."""
TRIES = 10
"""Crops that are drawn before the middle of the image is taken."""
MIRROR = 0.5
"""Probability that left and right are exchanged."""

CHANCE = 0.5
"""Probability of brightness, contrast, colour, noise and blur, each on its own."""
BRIGHTNESS = (-0.4, 0.4)
"""-1 is black, 1 is white; one gamma for all channels."""
CONTRAST = (-0.5, 0.5)
"""-1 is none, 0 as it was."""
COLOR = (-0.2, 0.2)
"""As brightness, for each channel on its own."""
NOISE = (2.0, 10.0)
"""Standard deviation, in grey levels of 255."""
BLUR = (0.5, 1.5)
"""Sigma of the Gaussian in pixels of the result; its kernel ends at 3 sigma."""

SHORTEST = 256
"""Pixels of the shorter side, of which the middle is cut out for validation."""

NOISE_RGB_DEVIATION = 256 * sqrt((25 / 64 + 1 / 4 + 25 / 64) / 3) / sqrt(3)
"""Standard deviation of ``op:noise_rgb`` at strength 1, over all channels.

It is uniform within +-256: of half of that in green, and in red and blue at half resolution, where enlarging by
interpolation leaves (0.75**2 + 0.25**2)**2 of the variance.
"""


class Work(NamedTuple):
    """One work.

    Attributes:
        name: of the work.
        corpus: of which images.
        random: a random crop and mirror; otherwise the middle.
        pixels: brightness, contrast, colour, noise and blur as well.
        least_batches: that are taken before the time counts.
        meaning: a line on it.
    """

    name: str
    corpus: str
    random: bool
    pixels: bool
    least_batches: int
    meaning: str


WORKS = {
    work.name: work
    for work in (
        Work("rrc", "small", True, False, 6, f"a random resized crop to {SIZE}, mirrored with p={MIRROR}"),
        Work("full", "small", True, True, 6, f"rrc; brightness, contrast, colour, noise, blur, p={CHANCE} each"),
        Work("val", "small", False, False, 6, f"shortest side {SHORTEST}, the middle {SIZE} of it"),
        Work("large", "large", True, False, 2, "rrc of photographs of 12 megapixels"),
    )
}
"""By name."""


def parameters() -> dict[str, Any]:
    """Return all numbers, as the JSON report has them."""
    return {
        "size": SIZE,
        "area": AREA,
        "ratio": RATIO,
        "mirror": MIRROR,
        "chance": CHANCE,
        "brightness": BRIGHTNESS,
        "contrast": CONTRAST,
        "color": COLOR,
        "noise": NOISE,
        "blur": BLUR,
        "shortest": SHORTEST,
    }


def leaven_worker(work: Work) -> dict[str, Any]:
    """Return the table of leaven's worker that does this work."""
    table: dict[str, Any] = {"use": "worker:classification", "image": {"shape": [3, SIZE, SIZE], "dtype": "uint8"}}
    if not work.random:
        # a scale of 1 lets the shorter side fill the target, which stands in the middle of the image
        return {**table, "ops": [], "image_params": {"scale": SHORTEST / SIZE, "interp_method": "area"}}
    rng = {"use": "rng:random_resized_crop", "area_range": AREA, "ratio_range": RATIO, "hmirror": MIRROR}
    return {**table, "image_rng": rng, "ops": _leaven_ops() if work.pixels else []}


def _leaven_ops() -> list[dict[str, Any]]:
    return [
        {
            "use": "op:tone",
            "prob": CHANCE,
            "brightness_range": BRIGHTNESS,
            "color_range": COLOR,
            "contrast_range": CONTRAST,
        },
        {"use": "op:noise_rgb", "prob": CHANCE, "noise_range": tuple(level / NOISE_RGB_DEVIATION for level in NOISE)},
        {"use": "op:blur", "prob": CHANCE, "blur_range": tuple(sigma / SIZE for sigma in BLUR)},
    ]
