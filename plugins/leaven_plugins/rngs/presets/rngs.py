"""Presets: RNGs with parameters that have proved good, each of which can be given another value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leaven_plugins.ops.interpolation import LINEAR
from leaven_plugins.ops.ranges import Range
from leaven_plugins.rngs.mixture.rng import MixtureRNG
from leaven_plugins.rngs.presets.constants import SCALE
from leaven_plugins.rngs.random_resized_crop.rng import RandomResizedCrop


@dataclass(frozen=True)
class AugmentationTrain(MixtureRNG):
    """The mixture for training: geometry for every image, brightness, colour and contrast for every other one.

    It takes the parameters of :class:`~leaven_plugins.rngs.mixture.rng.MixtureRNG`.
    """

    prob: float = 0.5
    scale_range: Range | None = (0.5 * SCALE, 2 * SCALE)
    shift_range: Range | None = (-1, 1)
    brightness_range: Range | None = (-0.5, 0.5)
    color_range: Range | None = (-0.5, 0.5)
    contrast_range: Range | None = (-1, 1)
    rotation_sigma: float = 15
    aspect_sigma: float = 0.1
    interpolations: Sequence[int | str] | None = (LINEAR,)
    hmirror: float = 0.5
    shear_range: Range | None = (-0.1, 0.1)


@dataclass(frozen=True)
class AugmentationAll(AugmentationTrain):
    """The mixture with everything for every image, noise and blur too: to see what there is.

    It takes the parameters of :class:`~leaven_plugins.rngs.mixture.rng.MixtureRNG`.
    """

    prob: float = 1
    noise_range: Range | None = (0.03, 0.1)
    blur_range: Range | None = (0.75 / 224, 0.01)


@dataclass(frozen=True)
class Imagenet(RandomResizedCrop):
    """The usual of classification: a part of 8 to 100 % of the area, mirrored half of the time.

    It takes the parameters of :class:`~leaven_plugins.rngs.random_resized_crop.rng.RandomResizedCrop`.
    """

    hmirror: float = 0.5
