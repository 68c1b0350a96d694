"""Positions: where patches of an image are, as vectors of sines and cosines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from leaven.errors import ParameterError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BASE = 10_000


def sincos_positions(channels: int, height: int, width: int) -> NDArray[np.float32]:
    """Return float32 ``(channels, height, width)``: the position of each patch, as transformers take it.

    The first half of the channels tells the row, the second the column; of each half, the first half are sines, the
    second cosines, of frequencies that fall from 1 towards 1/10000 (Vaswani et al., "Attention is all you need", 2017).

    Args:
        channels: a multiple of 4.
        height: rows of patches.
        width: columns of patches.

    Raises:
        ParameterError: ``channels`` is no multiple of 4, or there are no patches.
    """
    if channels < 1 or channels % 4:
        raise ParameterError(f"sincos_positions: channels={channels}: expected a multiple of 4")
    if height < 1 or width < 1:
        raise ParameterError(f"sincos_positions: {height} x {width} patches: expected at least one")
    rows = np.broadcast_to(_waves(channels // 4, height)[:, :, None], (channels // 2, height, width))
    columns = np.broadcast_to(_waves(channels // 4, width)[:, None, :], (channels // 2, height, width))
    return np.concatenate([rows, columns]).astype(np.float32)


def _waves(frequencies: int, count: int) -> NDArray[np.float64]:
    """Return sines, and then cosines, ``(2 * frequencies, count)``."""
    rates = _BASE ** -(np.arange(frequencies) / frequencies)
    angles = rates[:, None] * np.arange(count)
    return np.concatenate([np.sin(angles), np.cos(angles)])
