"""Affine: geometry of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from leaven.errors import ParameterError
from leaven_plugins.augmenters.batch import checked_images
from leaven_plugins.augmenters.packing import to_device
from leaven_plugins.augmenters.units import from_unit, span_of, to_unit

_METHODS = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


def affine(
    images: torch.Tensor,
    matrices: Any,
    size: Sequence[int] | None = None,
    interpolation: str = "linear",
    background: float = 0.0,
) -> torch.Tensor:
    """Return what transforms show of images, as :func:`leaven_plugins.ops.rendering.warp` draws it of one.

    Args:
        images: ``(rows, channels, height, width)``; not changed.
        matrices: ``(rows, 2, 3)``, an array or a tensor: from pixel numbers of the result (x, y, 1) to those of the
            image, as of :func:`~leaven_plugins.ops.geometry.make_transform`.
        size: height and width of the result; by default those of the images.
        interpolation: ``nearest``, ``linear`` or ``cubic``.
        background: value outside of the images, in their dtype's values.

    Returns:
        ``(rows, channels, *size)`` of the same dtype.

    Raises:
        ParameterError: the shape of images or matrices, or the interpolation, is not what it has to be.
    """
    images = checked_images(images)
    if interpolation not in _METHODS:
        raise ParameterError(f"interpolation is {interpolation!r}; it has to be one of {', '.join(_METHODS)}")
    span = span_of(images.dtype)
    unit = to_unit(images, span)
    if not isinstance(matrices, torch.Tensor):
        matrices = to_device({"matrices": np.asarray(matrices, np.float64)}, images.device)["matrices"]
    transforms = matrices.to(unit.dtype)
    if transforms.shape != (len(images), 2, 3):
        raise ParameterError(f"matrices have the shape {tuple(transforms.shape)}; expected ({len(images)}, 2, 3)")
    height, width = size or images.shape[2:]
    outside = (background - span.low) / span.size
    grid = _grid(transforms, (height, width), (images.shape[2], images.shape[3]))
    shown = functional.grid_sample(unit - outside, grid, _METHODS[interpolation], "zeros", align_corners=False)
    return from_unit(shown + outside, images.dtype, span)


def _grid(transforms: torch.Tensor, size: tuple[int, int], source: tuple[int, int]) -> torch.Tensor:
    """Return which place of the source each pixel shows, with -1 and 1 for its borders, ``(rows, *size, 2)``."""
    rows, columns = (torch.arange(length, dtype=transforms.dtype, device=transforms.device) for length in size)
    down, across = torch.meshgrid(rows, columns, indexing="ij")
    steps = transforms[:, :, :, None, None]  # a product of matrices would be one of 16 bits under autocast
    x, y = (steps[:, :, 0] * across + steps[:, :, 1] * down + steps[:, :, 2]).unbind(1)
    return torch.stack([(2 * x + 1) / source[1] - 1, (2 * y + 1) / source[0] - 1], -1)
