"""Fill: what comes in the place of pixels that are taken away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven_plugins.ops.depth import from_unit
from leaven_plugins.ops.errors import ImageError

Fill = float | Sequence[float] | str

_NAMES = ("noise", "color")


def check_fill(fill: Fill) -> None:
    """Check what rectangles are to be filled with.

    Raises:
        ParameterError: it is neither numbers nor one of the names.
    """
    if isinstance(fill, str) and fill not in _NAMES:
        raise ParameterError(f"fill is {fill!r}; it has to be one of {', '.join(_NAMES)}, or values")
    if not isinstance(fill, str) and np.ndim(fill) > 1:
        raise ParameterError(f"fill is {fill!r}; it has to be one value, or one for each channel")


def filling(
    fill: Fill, shape: tuple[int, ...], dtype: np.dtype[Any], random: np.random.Generator
) -> NDArray[Any] | float:
    """Return what fills a part of an image; it broadcasts to ``shape``.

    Raises:
        ImageError: the number of values does not fit the channels.
    """
    if isinstance(fill, str):
        drawn = shape if fill == "noise" else (1, 1, shape[2])
        if dtype == np.uint8:
            return random.integers(0, 256, drawn, np.uint8)
        return from_unit(random.random(drawn, np.float32), dtype)
    values = np.asarray(fill, np.float64)
    if values.size not in (1, shape[2]):
        raise ImageError(f"fill has {values.size} values for an image of {shape[2]} channels")
    return values.astype(dtype)
