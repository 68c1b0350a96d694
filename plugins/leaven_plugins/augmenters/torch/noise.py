"""Noise of a batch, a function of each row's key and of the place alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from leaven_plugins.augmenters.batch import Values, shows_gray
from leaven_plugins.augmenters.keys import halves
from leaven_plugins.augmenters.steps import WorkersOp
from leaven_plugins.augmenters.torch.op import Columns, DeviceOp, Form, in_units, per_row
from leaven_plugins.ops.noise.op import NoiseOther, NoiseRGB
from leaven_plugins.ops.noise.reference import GREEN

Grain = Callable[[torch.Tensor, torch.Size], torch.Tensor]


def uniform(keys: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    """Return numbers of the same probability from -1 to below 1, float32 ``(rows, *shape)``.

    Each is a function of its row's key and its place in ``shape``: the same on every device. The numbers 0, 1, 2 ...
    are scrambled twice, with half of the key each, by a hash of 32 bits with little bias (lowbias32; C. Wellons,
    Prospecting for Hash Functions, 2018).

    Args:
        keys: ``(rows, 2)`` int32.
        shape: of one row, less than 2^31 numbers.
    """
    place = torch.arange(prod(shape), dtype=torch.int32, device=keys.device)
    mixed = _scrambled(_scrambled(place ^ keys[:, :1]) ^ keys[:, 1:])
    return (_shifted(mixed, 8).to(torch.float32) * 2**-23 - 1).view(len(keys), *shape)


def grain_rgb(keys: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Return noise as of a camera, within -1 and 1: green has half of it, the others half of the resolution."""
    _, channels, height, width = shape
    if channels == 1:
        return grain_other(keys, shape)
    coarse = uniform(keys, (channels, max(height // 2, 1), max(width // 2, 1)))
    noise = functional.interpolate(coarse, (height, width), mode="bilinear")
    noise[:, GREEN] = uniform(keys, (height, width)) / 2
    return noise


def grain_other(keys: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """Return noise of full resolution in every channel, within -1 and 1."""
    return uniform(keys, shape[1:])


def _scrambled(numbers: torch.Tensor) -> torch.Tensor:
    numbers = (numbers ^ _shifted(numbers, 16)) * 0x7FEB352D
    numbers = (numbers ^ _shifted(numbers, 15)) * (0x846CA68B - (1 << 32))  # which int32 has for the same bits
    return numbers ^ _shifted(numbers, 16)


def _shifted(numbers: torch.Tensor, bits: int) -> torch.Tensor:
    """Return int32 shifted to the right without its sign."""
    return (numbers >> bits) & ((1 << (32 - bits)) - 1)


def _noise(op: WorkersOp, name: str, grain: Grain) -> DeviceOp:
    def columns(values: Sequence[Values], form: Form) -> dict[str, NDArray[Any]]:
        strength = np.array([row.get("noise") or 0.0 for row in values], np.float32)
        found = {"strength": strength, "key": halves(form.keys, name)}
        is_gray = np.array([shows_gray(row, form.channels) for row in values], np.bool_)
        return {**found, "is_gray": is_gray} if is_gray.any() else found

    def change(images: torch.Tensor, columns: Columns) -> torch.Tensor:
        noise = grain(columns["key"], images.shape)
        if "is_gray" in columns:
            same = uniform(columns["key"], (1, *images.shape[2:]))
            noise = torch.where(per_row(columns["is_gray"]), same, noise)
        return (images + noise * per_row(columns["strength"])).clamp(0, 1)

    return DeviceOp(op, columns, in_units(change))


NOISE_RGB = _noise(NoiseRGB(), "noise_rgb", grain_rgb)
NOISE_OTHER = _noise(NoiseOther(), "noise_other", grain_other)
