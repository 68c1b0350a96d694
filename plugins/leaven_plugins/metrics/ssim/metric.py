"""SSIM, GlobalSSIM: structural similarity, within a sliding window and of whole images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.images import images_of
from leaven_plugins.metrics.sums import RowMean

_WINDOW, _SIGMA = 11, 1.5  # pixels
_K1, _K2 = 0.01, 0.03


@dataclass(eq=False)
class SSIM(RowMean):
    """Mean structural similarity of output and target, -1 to 1; 1 for equal images.

    After Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE Transactions on Image Processing 13(4), 2004: a Gaussian window of 11 pixels with a standard
    deviation of 1.5, K1 = 0.01, K2 = 0.03. Each channel is measured by itself, where the whole window lies within the
    image.

    Args:
        data_range: the highest value that a pixel may have less the lowest, such as 1 or 255.
        output_key: key of the output, floats ``(rows, channels, height, width)``, height and width from 11.
        target_key: key of the target, of the same shape; axes of length one do not count.
        metric_key: what to call the result.

    Raises:
        ParameterError: the data range is not above 0.
    """

    data_range: float = 1.0
    output_key: str = "output"
    target_key: str = "target_image"
    metric_key: str = "ssim"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range(self.metric_key, self.data_range)

    def per_row(self, sample: Mapping[str, Any]) -> Tensor:  # noqa: D102
        output, target = images_of(sample, self.output_key, self.target_key)
        if min(output.shape[2:]) < _WINDOW:
            raise LeavenError(
                f"{self.output_key}: images of {tuple(output.shape[2:])} pixels; the window alone has {_WINDOW}"
            )
        maps = _smoothed(torch.stack([output, target, output**2, target**2, output * target]))
        return _similarity(*_moments(maps), self.data_range).mean((1, 2, 3))


@dataclass(eq=False)
class GlobalSSIM(RowMean):
    """Structural similarity from the mean, variance and covariance of whole images, all channels together; -1 to 1.

    It is the product of the luminance, contrast and structure terms of Wang et al. (see :class:`SSIM`), with the whole
    image as the only window; it knows nothing of where something is.

    Args:
        data_range: the highest value that a pixel may have less the lowest, such as 1 or 255.
        output_key: key of the output, floats ``(rows, channels, height, width)``.
        target_key: key of the target, of the same shape; axes of length one do not count.
        metric_key: what to call the result.

    Raises:
        ParameterError: the data range is not above 0.
    """

    data_range: float = 1.0
    output_key: str = "output"
    target_key: str = "target_image"
    metric_key: str = "ssim_global"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range(self.metric_key, self.data_range)

    def per_row(self, sample: Mapping[str, Any]) -> Tensor:  # noqa: D102
        output, target = images_of(sample, self.output_key, self.target_key)
        maps = torch.stack([output, target, output**2, target**2, output * target])
        return _similarity(*_moments(maps.mean((2, 3, 4))), self.data_range)


def _check_range(name: str, data_range: float) -> None:
    if not data_range > 0:
        raise ParameterError(f"{name}: data_range={data_range}: must be above 0")


def _smoothed(maps: Tensor) -> Tensor:
    """Return ``(n, rows, channels, height, width)`` weighted by the window, smaller by its size less one."""
    offsets = torch.arange(_WINDOW, dtype=maps.dtype, device=maps.device) - (_WINDOW - 1) / 2
    weights = torch.softmax(-(offsets**2) / (2 * _SIGMA**2), 0)
    planes = maps.flatten(0, 2).unsqueeze(1)
    planes = functional.conv2d(functional.conv2d(planes, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))
    return planes.view(*maps.shape[:3], *planes.shape[2:])


def _moments(means: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return both means, both variances and the covariance."""
    x, y, xx, yy, xy = means
    return x, y, (xx - x**2).clamp(min=0), (yy - y**2).clamp(min=0), xy - x * y


def _similarity(x: Tensor, y: Tensor, xx: Tensor, yy: Tensor, xy: Tensor, data_range: float) -> Tensor:
    """Return luminance times contrast and structure; with C3 = C2 / 2 these two are one fraction."""
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    return (2 * x * y + c1) / (x**2 + y**2 + c1) * (2 * xy + c2) / (xx + yy + c2)
