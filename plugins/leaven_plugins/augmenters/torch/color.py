"""Colour ops of a batch: grey images, mixtures with black, grey and the mean, hue and saturation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.torch.op import Columns, DeviceOp, Form, in_units, per_row
from leaven_plugins.ops.factors.op import Brighten, ContrastFactor, Saturate
from leaven_plugins.ops.grayscale.op import Grayscale
from leaven_plugins.ops.hue.op import Hue, Saturation
from leaven_plugins.ops.luma import luma_weights

Unit = torch.Tensor
"""Images with 0 for black and 1 for white."""


def luma(images: Unit) -> Unit:
    """Return the brightness of each pixel, ``(rows, 1, height, width)``."""
    shares = luma_weights(images.shape[1]).tolist()
    total = torch.zeros_like(images[:, :1])
    for channel, share in enumerate(shares):
        total = total + images[:, channel : channel + 1] * share
    return total


def to_gray(images: Unit, columns: Columns) -> Unit:
    """Return each pixel's brightness in every channel."""
    return luma(images).expand_as(images)


def brightened(images: Unit, amount: torch.Tensor) -> Unit:
    """Return values times the amount."""
    return (images * amount).clamp(0, 1)


def contrasted(images: Unit, amount: torch.Tensor) -> Unit:
    """Return distances from the image's mean brightness times the amount."""
    mean = luma(images).mean((2, 3), keepdim=True)
    return (images * amount + mean * (1 - amount)).clamp(0, 1)


def saturated(images: Unit, amount: torch.Tensor) -> Unit:
    """Return distances from the pixel's brightness times the amount; RGB only."""
    return (images * amount + luma(images) * (1 - amount)).clamp(0, 1)


def hue_turned(images: Unit, degrees: torch.Tensor) -> Unit:
    """Return RGB images with their hues turned."""
    hue, saturation, value = _to_hsv(images.clamp(0, 1))
    return _to_rgb((hue + degrees / 60) % 6, saturation, value)


def saturation_scaled(images: Unit, amount: torch.Tensor) -> Unit:
    """Return RGB images with the saturation, as HSV has it, times ``1 + amount``."""
    hue, saturation, value = _to_hsv(images.clamp(0, 1))
    return _to_rgb(hue, (saturation * (1 + amount)).clamp(0, 1), value)


def _to_hsv(images: Unit) -> tuple[Unit, Unit, Unit]:
    """Return hue (0 to 6), saturation and value, each ``(rows, 1, height, width)`` (A. R. Smith, SIGGRAPH 1978)."""
    red, green, blue = images.unsqueeze(2).unbind(1)
    value, least = images.amax(1, keepdim=True), images.amin(1, keepdim=True)
    range_ = value - least
    safe = torch.where(range_ > 0, range_, 1)
    hue = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return hue % 6, range_ / torch.where(value > 0, value, 1), value


def _to_rgb(hue: Unit, saturation: Unit, value: Unit) -> Unit:
    channels = []
    for offset in (5, 3, 1):
        place = (hue + offset) % 6
        channels.append(value - value * saturation * torch.minimum(place, 4 - place).clamp(0, 1))
    return torch.cat(channels, 1)


def _nothing(values: Sequence[Values], form: Form) -> dict[str, NDArray[Any]]:
    return {}


def _number(op: Any, function: Callable[[Unit, torch.Tensor], Unit], rgb_only: bool = True) -> DeviceOp:
    """Return an op of one number, which is the op's own idle one where it does not apply."""

    def columns(values: Sequence[Values], form: Form) -> dict[str, NDArray[Any]]:
        return {"amount": np.array([op.value(row) if row else op.idle for row in values], np.float32)}

    def change(images: Unit, columns: Columns) -> Unit:
        if rgb_only and images.shape[1] != 3:
            return images
        return function(images, per_row(columns["amount"]))

    return DeviceOp(op, columns, in_units(change))


GRAYSCALE = DeviceOp(Grayscale(), _nothing, in_units(to_gray))
BRIGHTEN = _number(Brighten(), brightened, rgb_only=False)
CONTRAST_FACTOR = _number(ContrastFactor(), contrasted, rgb_only=False)
SATURATE = _number(Saturate(), saturated)
HUE = _number(Hue(), hue_turned)
SATURATION = _number(Saturation(), saturation_scaled)
