"""Kernels: filters that OpenCV does not have."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Kernel = NDArray[np.float64]


@lru_cache(maxsize=64)
def sinc_kernel(cutoff: float, diameter: int) -> Kernel:
    """Return the ideal low-pass filter for all directions, cut to a square; its sum is 1.

    Its value at the distance r is ``cutoff * J1(cutoff * r) / (2 * pi * r)``, and ``cutoff ** 2 / (4 * pi)`` in the
    middle.

    Args:
        cutoff: in radians per pixel.
        diameter: of the kernel in pixels.

    Returns:
        ``(diameter, diameter)`` float64, not to be changed.
    """
    along = np.arange(diameter) - (diameter - 1) / 2
    distance = np.hypot(along[:, None], along)
    middle = distance == 0
    distance[middle] = 1
    kernel: Kernel = cutoff * _bessel_j1(cutoff * distance) / (2 * np.pi * distance)
    kernel[middle] = cutoff**2 / (4 * np.pi)
    kernel /= kernel.sum()
    kernel.flags.writeable = False
    return kernel


def _bessel_j1(x: Kernel) -> Kernel:
    """Return the Bessel function of the first kind and order 1, by its integral; exact to 1e-12."""
    points = 40 + int(x.max())  # of a periodic function: from about x points on, each one more is worth a digit
    t = (np.arange(points) + 0.5) * np.pi / points
    mean: Kernel = np.cos(t - x[..., None] * np.sin(t)).mean(-1)
    return mean
