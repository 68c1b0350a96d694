"""Tone: brightness, colour and contrast of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.torch.op import Columns, DeviceOp, Form, in_units, per_row
from leaven_plugins.augmenters.units import Span
from leaven_plugins.ops.tone.curve import SIGMOID_OFFSET, SIGMOID_RANGE, TANH_OFFSET, TANH_RANGE
from leaven_plugins.ops.tone.op import Tone


def columns(values: Sequence[Values], form: Form) -> dict[str, NDArray[Any]]:
    """Return ``gamma``, the exponent of each channel, and ``contrast``; 1 and 0 where there is none.

    Raises:
        ParameterError: ``gamma_color`` has another number of values than there are channels.
    """
    gamma = np.array([_exponents(row, form.channels) for row in values], np.float64).reshape(len(values), form.channels)
    return {"gamma": gamma, "contrast": np.array([row.get("contrast") or 0.0 for row in values], np.float64)}


def change(images: torch.Tensor, columns: Columns, span: Span) -> torch.Tensor:
    """Return images after contrast and gamma; those of 8 bits, of their whole range, by a table, exactly."""
    if images.dtype != torch.uint8 or span != (0, 255):
        return _curved(images, columns, span)
    places = images.flatten(2).to(torch.int64)
    return tables(columns).gather(2, places).view(images.shape)


def tables(columns: Columns) -> torch.Tensor:
    """Return what becomes of each value of 8 bits, uint8 ``(rows, channels, 256)``."""
    ramp = torch.linspace(0, 1, 256, dtype=torch.float64, device=columns["gamma"].device)
    curved = tone_curve(ramp, columns["gamma"][:, :, None], columns["contrast"][:, None, None])
    return (curved * 255).round().to(torch.uint8)


def tone_curve(values: torch.Tensor, gamma: torch.Tensor, contrast: torch.Tensor) -> torch.Tensor:
    """Return ``values``, within 0 and 1, as :func:`leaven_plugins.ops.tone.curve.tone_curve` does for one image."""
    steep = 1 / (1 + torch.exp(-SIGMOID_RANGE * (2 * values - 1)))
    more = (steep - SIGMOID_OFFSET) / (1 - 2 * SIGMOID_OFFSET)
    less = (torch.atanh(TANH_RANGE * (2 * values - 1)) + TANH_OFFSET) / (2 * TANH_OFFSET)
    full = torch.where(contrast > 0, more, less)
    full = torch.where(values > 0, full, 0)  # where 32 bits leave 1e-8, which a small gamma would make grey
    return torch.lerp(values.expand_as(full), full, contrast.abs().expand_as(full)).clamp(0, 1) ** gamma


def _tone(images: torch.Tensor, columns: Columns) -> torch.Tensor:
    gamma, contrast = (per_row(columns[name]).to(images.dtype) for name in ("gamma", "contrast"))
    return tone_curve(images.clamp(0, 1), gamma, contrast)


_curved = in_units(_tone)


def _exponents(values: Values, channels: int) -> list[float]:
    gray = values.get("gamma_gray") or 1.0
    color = values.get("gamma_color")
    if color is None or channels == 1 or not values.get("color", True):
        return [gray] * channels
    if len(color) not in (1, channels):
        raise ParameterError(f"gamma_color has {len(color)} values for images of {channels} channels")
    return [gray * each for each in (list(color) * channels)[:channels]]


TONE = DeviceOp(Tone(), columns, change)
