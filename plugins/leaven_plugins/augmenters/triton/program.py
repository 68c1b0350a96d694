"""Program: what the kernel is to do to each row, where it can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from leaven_plugins.augmenters.torch.blur import radius_of
from leaven_plugins.augmenters.triton.kernel import NOISE_OTHER, NOISE_RGB, NOTHING, TABLE

FUSED = ("tone", "noise_rgb", "noise_other", "blur")
"""The ops that the kernel does."""

_AROUND = 2  # ops of single pixels that have a place before the blur, and after it
_CODES = {"tone": TABLE, "noise_rgb": NOISE_RGB, "noise_other": NOISE_OTHER}
_TILE = 32
_MARGINS = (16, 48)  # which make powers of 2 with the tile
LARGEST_RADIUS = _MARGINS[-1]
"""How far the blur reaches at most, in pixels."""
MOST_PLANES = 65_535
"""Rows times channels of a batch: as many programs as CUDA allows along the second axis."""


def places(sequence: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Return what is done at each of the four places of one row; ``None`` where there are too few.

    Args:
        sequence: names of ops in their order, of :data:`FUSED`.
    """
    blur = sequence.index("blur") if "blur" in sequence else len(sequence)
    around = [[_CODES[name] for name in part] for part in (sequence[:blur], sequence[blur + 1 :])]
    if blur == len(sequence):  # without a blur, all places come one after the other
        around = [around[0][:_AROUND], around[0][_AROUND:]]
    if max(map(len, around)) > _AROUND:
        return None
    before, after = (part + [NOTHING] * (_AROUND - len(part)) for part in around)
    return before[0], before[1], after[0], after[1]


def reach(sigmas: Sequence[float]) -> NDArray[np.int32] | None:
    """Return each row's radius in pixels, 0 without blur; ``None`` where one is too large."""
    radii = np.array([radius_of(sigma) if sigma else 0 for sigma in sigmas], np.int32)
    return radii if radii.max(initial=0) <= LARGEST_RADIUS else None


def tile_for(radius: int) -> tuple[int, int]:
    """Return the side of a tile, and the margin around it, for the batch's largest radius."""
    return _TILE, next(margin for margin in _MARGINS if margin >= radius)
