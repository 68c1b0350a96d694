"""Launch: a batch through the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import triton

from leaven_plugins.augmenters.batch import Values, shows_gray
from leaven_plugins.augmenters.keys import halves, row_keys
from leaven_plugins.augmenters.packing import to_device
from leaven_plugins.augmenters.torch import tone
from leaven_plugins.augmenters.torch.op import Form
from leaven_plugins.augmenters.triton.kernel import augment
from leaven_plugins.augmenters.triton.program import MOST_PLANES, places, reach, tile_for

_NOISE = ("noise_rgb", "noise_other")


def fused(
    images: torch.Tensor,
    values: Sequence[Values],
    sequences: Sequence[Sequence[str]],
    mean: Sequence[float],
    std: Sequence[float],
    dtype: torch.dtype,
    seed: int,
    call: int,
) -> torch.Tensor | None:
    """Return images after all of their ops; ``None`` where the kernel cannot do them.

    Args:
        images: uint8, on the device.
        values: of each row.
        sequences: of each row: the names of its ops in their order, of ``FUSED``.
        mean: of each channel, subtracted from values within [0, 1]; none for no normalisation.
        std: they are divided by it then.
        dtype: of the result: uint8 keeps 0 to 255, floats are within [0, 1] before the normalisation.
        seed: of the noise, as for :func:`~leaven_plugins.augmenters.keys.row_keys`.
        call: how many batches came before.
    """
    rows, channels, height, width = images.shape
    toned, noisy, blurry = (_with(values, sequences, ops) for ops in (("tone",), _NOISE, ("blur",)))
    sigmas = [row.get("blur", 0) * width for row in blurry]
    radii = reach(sigmas)
    what = [places(names) for names in sequences]
    is_gray = any(shows_gray(row, channels) for row in noisy)
    if radii is None or None in what or is_gray or rows * channels > MOST_PLANES:
        return None
    keys = row_keys(values, seed, call)
    columns = to_device(
        {
            **tone.columns(toned, Form(channels, height, width, keys)),
            "places": np.array(what, np.int32),
            "sigma": np.array(sigmas, np.float32),
            "radius": radii,
            "strength": np.array([row.get("noise", 0) for row in noisy], np.float32),
            "rgb": halves(keys, "noise_rgb"),
            "other": halves(keys, "noise_other"),
            "mean": np.resize(np.array(mean or [0.0], np.float32), channels),
            "scale": np.resize(1 / np.array(std or [1.0], np.float32), channels),
        },
        images.device,
    )
    out = torch.empty(images.shape, dtype=dtype, device=images.device)
    tile, margin = tile_for(int(radii.max()))
    grid = (triton.cdiv(height, tile) * triton.cdiv(width, tile), rows * channels)
    with torch.cuda.device(images.get_device()):  # which is where triton runs
        augment[grid](
            images.contiguous(),
            out,
            tone.tables(columns),
            *(columns[name] for name in ("places", "sigma", "radius", "strength", "rgb", "other", "mean", "scale")),
            channels,
            height,
            width,
            tile=tile,
            margin=margin,
            unit=dtype.is_floating_point,
            num_warps=8,  # with 4, a thread has 128 pixels of the largest tile: more than it has registers for
            enable_fp_fusion=True,  # unsaid, its default is a warning's subject
        )
    return out


def _with(values: Sequence[Values], sequences: Sequence[Sequence[str]], ops: Sequence[str]) -> list[Values]:
    """Return the values of rows that one of these ops is done to, and empty ones for the others."""
    return [row if any(op in names for op in ops) else {} for row, names in zip(values, sequences, strict=True)]
