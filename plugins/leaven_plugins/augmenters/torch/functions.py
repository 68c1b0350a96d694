"""Single ops on a batch, for loops of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from leaven_plugins.augmenters.batch import checked_images, checked_values
from leaven_plugins.augmenters.steps import Step
from leaven_plugins.augmenters.torch.running import run
from leaven_plugins.augmenters.torch.table import OPS
from leaven_plugins.augmenters.units import full_precision, span_of


def add_gamma(images: torch.Tensor, augs: Sequence[Mapping[str, Any]], maxv: float | None = None) -> torch.Tensor:
    """Return images with their contrast changed, then raised to ``gamma_gray * gamma_color``.

    The curve is that of :func:`leaven_plugins.ops.tone.gamma.add_gamma`; uint8 goes by its table.

    Args:
        images: ``(rows, channels, height, width)``; integers stand for [0, 1] by their dtype's whole range, floats for
            themselves (clipped). Not changed.
        augs: for each row a dict with any of ``gamma_gray``, ``gamma_color``, ``contrast`` and ``color``.
        maxv: what stands for white instead.

    Raises:
        ParameterError: the shape, the dtype or the number of dicts is not what it has to be.
    """
    return _done("tone", images, augs, None, maxv, 0)


def add_noise_rgb(
    images: torch.Tensor,
    augs: Sequence[Mapping[str, Any]],
    minv: float | None = None,
    maxv: float | None = None,
    *,
    seed: int,
) -> torch.Tensor:
    """Return RGB images with noise as of a camera: green has half of it, the others half of the resolution.

    Args:
        images: as in :func:`add_gamma`.
        augs: for each row a dict with ``noise``, the amplitude; 1 is all from black to white, in both directions.
            Where it has a ``cell``, two integers, the noise depends on these and ``seed`` alone, otherwise on the row's
            number.
        minv: what stands for black, and is the least value of the result, instead of the dtype's least (0 for floats).
        maxv: what stands for white, and is the greatest, instead of the dtype's greatest (1 for floats).
        seed: of the noise.

    Raises:
        ParameterError: as in :func:`add_gamma`.
    """
    return _done("noise_rgb", images, augs, minv, maxv, seed)


def add_noise_other(
    images: torch.Tensor,
    augs: Sequence[Mapping[str, Any]],
    minv: float | None = None,
    maxv: float | None = None,
    *,
    seed: int,
) -> torch.Tensor:
    """Return images with noise of full resolution in every channel. Otherwise as :func:`add_noise_rgb`."""
    return _done("noise_other", images, augs, minv, maxv, seed)


def add_blur(images: torch.Tensor, augs: Sequence[Mapping[str, Any]]) -> torch.Tensor:
    """Return images under Gaussians, whose sigma is ``blur`` times the width; beyond borders is the nearest pixel.

    Args:
        images: as in :func:`add_gamma`; floats may have any range.
        augs: for each row a dict with ``blur``; without, or with 0, the row is not touched.

    Raises:
        ParameterError: as in :func:`add_gamma`.
    """
    return _done("blur", images, augs, None, None, 0)


def _done(
    name: str,
    images: torch.Tensor,
    augs: Sequence[Mapping[str, Any]],
    minv: float | None,
    maxv: float | None,
    seed: int,
) -> torch.Tensor:
    images = checked_images(images)
    span = span_of(images.dtype, minv, maxv)
    values = checked_values(augs, len(images))
    rows = np.array([OPS[name].op.applies(row) for row in values], np.bool_)
    with full_precision(images):
        return run(images, values, [Step(name, rows)] if rows.any() else [], OPS, span, seed, 0)
