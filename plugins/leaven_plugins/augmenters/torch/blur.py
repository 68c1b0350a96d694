"""Blur: each image of a batch under a Gaussian of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.torch.op import Columns, DeviceOp, Form, in_units
from leaven_plugins.ops.blur.op import Blur


def radius_of(sigma: float) -> int:
    """Return how many pixels a kernel reaches to each side: about 3 sigma, at least 2."""
    return max(int(6.6 * sigma - 2.3) | 1, 5) // 2


def filled_up(radius: int) -> int:
    """Return a radius of at least this one, of few that there are: 2, 3, 4, 6, 8, 12, 16 ...

    Compiled and captured code meets few sizes then.
    """
    power = 1 << (radius - 1).bit_length()
    return power * 3 // 4 if radius <= power * 3 // 4 else power


def columns(values: Sequence[Values], form: Form) -> dict[str, NDArray[Any]]:
    """Return ``kernel``, the weights of each row, as many as the batch's largest Gaussian asks for.

    A row's weights end where its own Gaussian does: what it becomes does not depend on the others.
    """
    sigmas = [(row.get("blur") or 0.0) * form.width for row in values]
    radii = [radius_of(sigma) for sigma in sigmas]
    radius = filled_up(max(radii))
    places = np.arange(-radius, radius + 1)
    sigma = np.maximum(np.array(sigmas)[:, None], 1e-3)  # under which all of the weight is in the middle
    weights = np.exp(-0.5 * (places / sigma) ** 2) * (np.abs(places) <= np.array(radii)[:, None])
    return {"kernel": weights / weights.sum(1, keepdims=True)}


def blurred(images: torch.Tensor, columns: Columns) -> torch.Tensor:
    """Return images under their kernels, along rows and then along columns; what is outside is the nearest pixel."""
    rows, channels, height, width = images.shape
    kernel = columns["kernel"].to(images.dtype).repeat_interleave(channels, 0)
    radius = kernel.shape[1] // 2
    planes = images.reshape(1, rows * channels, height, width)
    for weights, margins in (
        (kernel[:, None, None, :], (radius, radius, 0, 0)),
        (kernel[:, None, :, None], (0, 0, radius, radius)),
    ):
        planes = functional.pad(planes, margins, mode="replicate")
        planes = functional.conv2d(planes, weights, groups=rows * channels)
    return planes.view(images.shape)


BLUR = DeviceOp(Blur(), columns, in_units(blurred))
