"""FloatView: pictures as floating point numbers of a range, made where they are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class FloatView:
    """An array of numbers 0 to 255 (uint8), or 0 to 1 (float), seen as float32 from ``lower`` to ``upper``.

    Indexing it gives a new array of what was asked for; nothing else is made. It has the ``shape``, ``ndim`` and
    ``size`` of the array, and the ``dtype`` float32; ``np.asarray`` makes all of it.

    Args:
        array: the array.
        lower: what 0 becomes.
        upper: what 255, or 1, becomes.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, array: NDArray[Any], lower: float = 0.0, upper: float = 1.0) -> None:
        self.array = array
        self.lower = lower
        self.upper = upper
        self.shape = array.shape
        self.ndim = array.ndim
        self.size = array.size

    def __len__(self) -> int:
        """Return the length of the first axis."""
        return len(self.array)

    def __getitem__(self, index: Any) -> NDArray[np.float32]:
        """Return what numpy returns for this index, as float32."""
        most = 255 if self.array.dtype.kind == "u" else 1
        values = np.asarray(self.array[index], np.float32)
        result: NDArray[np.float32] = values * np.float32((self.upper - self.lower) / most) + np.float32(self.lower)
        return result

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all of it, for ``np.asarray``."""
        if copy is False:
            raise ValueError("a FloatView has no array of its own: it cannot be had without a copy")
        return np.asarray(self[...], dtype)
