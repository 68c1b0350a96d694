"""Hue and Saturation: what people call colour, in the HSV space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven_plugins.ops.depth import from_unit, prepared, to_unit
from leaven_plugins.ops.drawn import NumberOp
from leaven_plugins.ops.ranges import Range

Image = NDArray[Any]


def turn_hue(image: Image, degrees: float) -> Image:
    """Return an RGB image with its hues turned; one of another number of channels as it is.

    120 degrees turn red into green, green into blue. In 8 bits a hue is one of 256 and moves by the nearest of these.
    """
    if image.shape[2] != 3:
        return image
    image = prepared(image)
    if image.dtype == np.uint8:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
        hsv[:, :, 0] += np.uint8(round(degrees / 360 * 256) % 256)  # wraps as hues do
        return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)
    hsv = cv2.cvtColor(to_unit(image), cv2.COLOR_RGB2HSV)
    hsv[:, :, 0] = (hsv[:, :, 0] + np.float32(degrees)) % 360
    return from_unit(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), image.dtype)


def change_saturation(image: Image, amount: float) -> Image:
    """Return an RGB image with its saturation times ``1 + amount``; one of another number of channels as it is."""
    if image.shape[2] != 3:
        return image
    image = prepared(image)
    if image.dtype == np.uint8:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
        scaled = cv2.convertScaleAbs(cv2.extractChannel(hsv, 1), alpha=1 + amount)
        return cv2.cvtColor(cv2.insertChannel(scaled, hsv, 1), cv2.COLOR_HSV2RGB_FULL)
    hsv = cv2.cvtColor(to_unit(image), cv2.COLOR_RGB2HSV)
    hsv[:, :, 1] = np.minimum(hsv[:, :, 1] * np.float32(1 + amount), 1)
    return from_unit(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), image.dtype)


@dataclass(frozen=True)
class Hue(NumberOp):
    """Turns all hues by the same angle.

    It reads ``hue``: degrees; 120 turns red into green, 180 every colour into its opposite. Its own draw is used where
    the RNG gives none. Images of other than three channels stay as they are.

    Args:
        hue_range: of the angle in degrees.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "hue"
    keys: ClassVar[tuple[str, ...]] = ("hue",)
    idle: ClassVar = 0
    example: ClassVar[Mapping[str, Any]] = {"hue_range": (-90, 90)}

    hue_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of other hues; ``random`` is not used."""
        return turn_hue(image, self.value(values))


@dataclass(frozen=True)
class Saturation(NumberOp):
    """Makes colours stronger or paler; each pixel's brightest channel stays.

    It reads ``saturation``: -1 is without colour, 0 as it was, 1 twice as strong. Its own draw is used where the RNG
    gives none. Images of other than three channels stay as they are. ``op:saturate`` mixes with grey instead.

    Args:
        saturation_range: of the amount, within -1 and 1.
        prob: how often there is one.

    Raises:
        ParameterError: the range is not two numbers within -1 and 1, or ``prob`` not within 0 and 1.
    """

    name: ClassVar = "saturation"
    keys: ClassVar[tuple[str, ...]] = ("saturation",)
    idle: ClassVar = 0
    lowest: ClassVar = -1
    highest: ClassVar = 1
    example: ClassVar[Mapping[str, Any]] = {"saturation_range": (-1, 1)}

    saturation_range: Range | None = None
    prob: float = 1.0

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image of other saturation; ``random`` is not used."""
        return change_saturation(image, self.value(values))
