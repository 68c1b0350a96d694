"""Geometry: which point of the source a pixel of the target shows.

Matrices are ``(2, 3)`` float64 and map points of the *target* to points of the *source*, as the inverse map of a warp
does. Sizes are ``(height, width)``, and points ``(x, y)``.

A matrix is built of sizes, and so holds for points of which (0, 0) is the corner of the first pixel. Crumpets, and
whatever is called exact here, takes it for one of pixel numbers, of which (0, 0) is that pixel's middle: pictures are
moved by half of the difference between a pixel of the source and one of the target, mirrored ones by half of their sum.
:func:`index_transform` makes of it what draws without that.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, cos, floor, radians, sin, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.protocols import Region
from leaven_plugins.ops.errors import ImageError

Matrix = NDArray[np.float64]
Size = Sequence[int]

SCALE_MODES = ("shortest", "longest")


def pixel_ratio(source_size: Size, target_size: Size, scale: float = 1, scale_mode: str = "shortest") -> float:
    """Return how many pixels of the source one pixel of the target stands for.

    Args:
        source_size: of the image.
        target_size: of what is made of it.
        scale: 1 lets the image just cover the target (``shortest``) or just fit into it (``longest``), 2 makes it twice
            as large.
        scale_mode: which side of the image counts, ``"shortest"`` or ``"longest"``.

    Raises:
        ImageError: another mode, a scale that is not positive, or an empty size.
    """
    if scale_mode not in SCALE_MODES:
        raise ImageError(f"scale_mode is {scale_mode!r}; it has to be one of {', '.join(SCALE_MODES)}")
    if not scale > 0:
        raise ImageError(f"scale is {scale}; it has to be positive")
    if min(*source_size, *target_size) < 1:
        raise ImageError(f"no pixels: source {tuple(source_size)}, target {tuple(target_size)}")
    ratios = (source_size[0] / target_size[0], source_size[1] / target_size[1])
    return (min(ratios) if scale_mode == "shortest" else max(ratios)) / scale


def make_transform(
    source_size: Size,
    target_size: Size,
    angle: float = 0,
    scale: float = 1,
    aspect: float = 1,
    shift: Sequence[float] | None = None,
    hmirror: bool = False,
    vmirror: bool = False,
    shear: float | Sequence[float] | None = None,
    scale_mode: str = "shortest",
) -> Matrix:
    """Return the matrix from the target to the source.

    Args:
        source_size: of the image.
        target_size: of what is made of it.
        angle: degrees by which the content turns counter-clockwise.
        scale: see :func:`pixel_ratio`.
        aspect: above 1, content gets narrower and taller by this factor; its area stays.
        shift: ``(vertical, horizontal)``; 1 and -1 move the target's window to the end and the start of the source (or
            the source to the border of a larger target).
        hmirror: exchange left and right.
        vmirror: exchange top and bottom.
        shear: ``(s0, s1)``: ``y += s0 * x``, ``x += s1 * y`` in pixels of the target, from its middle; one number
            counts for both.
        scale_mode: see :func:`pixel_ratio`.

    Raises:
        ImageError: as :func:`pixel_ratio`, or an aspect that is not positive.
    """
    if not aspect > 0:
        raise ImageError(f"aspect is {aspect}; it has to be positive")
    ratio = pixel_ratio(source_size, target_size, scale, scale_mode)
    (sh, sw), (th, tw) = ((size[0] / 2, size[1] / 2) for size in (source_size, target_size))
    s0, s1 = (shear, shear) if isinstance(shear, (int, float)) else shear or (0, 0)
    up, along = shift or (0, 0)
    across, down = ratio * aspect * (-1 if hmirror else 1), ratio / aspect * (-1 if vmirror else 1)
    c, s = cos(radians(angle)), sin(radians(angle))
    # rotation * (scale and mirrors) * shear, and a middle that is mapped to the middle plus the shift
    xx, xy = c * across - s * down * s0, c * across * s1 - s * down
    yx, yy = s * across + c * down * s0, s * across * s1 + c * down
    x0 = sw + abs(sw - tw * ratio) * along - xx * tw - xy * th
    y0 = sh + abs(sh - th * ratio) * up - yx * tw - yy * th
    return _matrix(xx, xy, x0, yx, yy, y0)


def supersampling_for(ratio: float) -> int:
    """Return how many times larger an image is drawn before it is reduced (1 to 3), so that no pixel is passed over."""
    return min(max(ceil(ratio), 1), 3)


def magnified(matrix: Matrix, factor: float) -> Matrix:
    """Return the matrix for a target ``factor`` times as large that shows the same."""
    (a, b, x), (c, d, y) = matrix.tolist()
    return _matrix(a / factor, b / factor, x, c / factor, d / factor, y)


def inverted(matrix: Matrix) -> Matrix:
    """Return the matrix from the source to the target."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.hstack([linear, -linear @ matrix[:, 2:]])


def map_points(matrix: Matrix, points: Any) -> NDArray[np.float64]:
    """Return ``(n, 2)`` points, mapped; to find source points in the target, pass the :func:`inverted` matrix."""
    return np.asarray(points, np.float64).reshape(-1, 2) @ matrix[:, :2].T + matrix[:, 2]


def index_transform(matrix: Matrix, supersampling: int = 1) -> Matrix:
    """Return the matrix of pixel numbers that, drawn with this supersampling, puts everything where ``matrix`` says."""
    (a, b, x), (c, d, y) = matrix.tolist()
    half = 0.5 / supersampling
    return _matrix(a, b, x - 0.5 + (a + b) * half, c, d, y - 0.5 + (c + d) * half)


def corner_transform(matrix: Matrix, supersampling: int = 1) -> Matrix:
    """Return the matrix of points of what is drawn when ``matrix`` is taken for one of pixel numbers.

    It is the inverse of :func:`index_transform`.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    half = 0.5 / supersampling
    return _matrix(a, b, x + 0.5 - (a + b) * half, c, d, y + 0.5 - (c + d) * half)


def chained(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the matrix that maps by ``inner`` first, then by ``outer``."""
    linear = outer[:, :2] @ inner
    linear[:, 2] += outer[:, 2]
    return linear


def within_decoded(matrix: Matrix, region: Region, scale: float) -> Matrix:
    """Return the matrix to points of a decoded ``region`` of the source at ``scale``."""
    (a, b, x), (c, d, y) = matrix.tolist()
    return _matrix(a * scale, b * scale, (x - region.left) * scale, c * scale, d * scale, (y - region.top) * scale)


def finest_ratio(matrix: Matrix) -> float:
    """Return how many pixels of the source one of the target stands for, in the direction in which they are fewest."""
    (a, b, _), (c, d, _) = matrix.tolist()
    squares, area = a * a + b * b + c * c + d * d, a * d - b * c
    return sqrt(max(squares - sqrt(max(squares * squares - 4 * area * area, 0)), 0) / 2)


def needed_region(matrix: Matrix, target_size: Size, source_size: Size, radius: int) -> Region:
    """Return the part of the source that the target shows, at least one pixel of it.

    Args:
        matrix: from the target to the source.
        target_size: of the target.
        source_size: of the source.
        radius: of the interpolation, in pixels of a source that was reduced to the target's resolution.
    """
    (a, b, x), (c, d, y) = matrix.tolist()
    height, width = target_size
    margin = radius * max(finest_ratio(matrix), 1) + 1
    left, right = _needed_span((a * width, b * height), x, margin, source_size[1])
    top, bottom = _needed_span((c * width, d * height), y, margin, source_size[0])
    return Region(top, left, bottom, right)


def _needed_span(sides: tuple[float, float], start: float, margin: float, size: int) -> tuple[int, int]:
    low = start + sum(min(side, 0) for side in sides) - margin
    high = start + sum(max(side, 0) for side in sides) + margin
    return min(max(floor(low), 0), size - 1), max(min(ceil(high), size), 1)


def _matrix(a: float, b: float, x: float, c: float, d: float, y: float) -> Matrix:
    # made of Python's numbers: numpy's own arithmetic on six of them takes five times as long
    return np.array([[a, b, x], [c, d, y]], np.float64)
