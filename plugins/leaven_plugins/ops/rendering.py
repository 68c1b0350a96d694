"""Rendering: drawing what a transform shows, exactly as defined or at the least cost."""

from __future__ import annotations

from math import floor
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.protocols import Decoded
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.geometry import (
    Matrix,
    Size,
    finest_ratio,
    index_transform,
    magnified,
    supersampling_for,
    within_decoded,
)
from leaven_plugins.ops.interpolation import AREA, LINEAR, NEAREST

Image = NDArray[Any]

# Pixels of the source per pixel of the target ...
_ROUNDABLE = 0.55  # from which half a pixel of the source is less than one of the target
_WORTH_AVERAGING = 2.0  # from which interpolation alone would pass over some


def warp(
    image: Image,
    matrix: Matrix,
    size: Size,
    interpolation: int = LINEAR,
    background: Any = None,
    supersampling: int = 1,
) -> Image:
    """Draw the target by taking ``matrix`` for one of pixel numbers.

    Args:
        image: ``(height, width, channels)``, at most four channels; not changed.
        matrix: of :func:`~leaven_plugins.ops.geometry.make_transform`, for the final size.
        size: of the target.
        interpolation: number of the method.
        background: value outside of the image, one or one for each channel; ``None`` for 0.
        supersampling: the target is drawn this many times larger, and averaged down.

    Returns:
        ``(*size, channels)``, of the same dtype.
    """
    height, width = size
    drawn = cv2.warpAffine(
        image,
        magnified(matrix, supersampling) if supersampling > 1 else matrix,
        (width * supersampling, height * supersampling),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=per_channel(background, image.shape[2]),
    )
    if supersampling > 1:
        drawn = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    return drawn[:, :, None] if drawn.ndim == 2 else drawn


def view(decoded: Decoded, matrix: Matrix, size: Size, interpolation: int = LINEAR, background: Any = None) -> Image:
    """Draw the target as cheaply as possible, within one pixel of where ``matrix`` puts it.

    Crops, scales and mirrors are made by resizing, which takes a third of a warp's time or less; borders are rounded to
    whole pixels. What is rotated, sheared or enlarged to about twice its size is warped. What the decoder has reduced
    already needs no supersampling; where a pixel still stands for two or more of the source, they are averaged, except
    with the nearest pixel's method.

    Args:
        decoded: pixels, and what they show; not changed.
        matrix: of :func:`~leaven_plugins.ops.geometry.make_transform`, from the target to the whole source.
        size: of the target.
        interpolation: number of the method.
        background: value outside of the source, as in :func:`warp`.

    Returns:
        ``(*size, channels)``, of the same dtype; possibly a view of ``decoded.image``.
    """
    local = within_decoded(matrix, decoded.region, decoded.scale)
    if _is_resizable(local):
        return _resized(decoded.image, local, size, interpolation, background)
    ratio = finest_ratio(local)
    averaged = ratio >= _WORTH_AVERAGING and interpolation != NEAREST
    supersampling = supersampling_for(ratio) if averaged else 1
    return warp(decoded.image, index_transform(local, supersampling), size, interpolation, background, supersampling)


def view_transform(decoded: Decoded, matrix: Matrix, size: Size) -> Matrix:
    """Return the matrix of what :func:`view` draws, which is ``matrix`` but for borders that it rounds.

    What is laid over a view, such as a mask, is to be drawn by this one.
    """
    local = within_decoded(matrix, decoded.region, decoded.scale)
    if not _is_resizable(local):
        return matrix
    (across, _, x0), (_, down, y0) = local.tolist()
    columns = _span(across, x0, size[1], decoded.image.shape[1])
    rows = _span(down, y0, size[0], decoded.image.shape[0])
    if min(columns.last - columns.first, rows.last - rows.first) < 1:
        return matrix
    (xx, x), (yy, y) = _drawn_axis(columns, size[1]), _drawn_axis(rows, size[0])
    top, left, _, _ = decoded.region
    scale = decoded.scale
    return np.array([[xx / scale, 0, x / scale + left], [0, yy / scale, y / scale + top]])


def _is_resizable(matrix: Matrix) -> bool:
    (across, skew), (slant, down) = matrix[:, :2].tolist()
    return bool(skew == 0 == slant and min(abs(across), abs(down)) >= _ROUNDABLE)


class _Span(NamedTuple):
    """One axis: ``start`` to ``stop`` of the source fills ``first`` to ``last`` of the target, perhaps mirrored."""

    start: int
    stop: int
    first: int
    last: int
    mirrored: bool


def _resized(image: Image, matrix: Matrix, size: Size, interpolation: int, background: Any) -> Image:
    height, width = size
    (across, _, x0), (_, down, y0) = matrix.tolist()
    rows = _span(down, y0, height, image.shape[0])
    columns = _span(across, x0, width, image.shape[1])
    channels = image.shape[2]
    method = _reduction_method(interpolation, max(abs(across), abs(down)))
    patch = image[rows.start : rows.stop, columns.start : columns.stop]
    shown = (rows.last - rows.first, columns.last - columns.first)
    if min(*shown, *patch.shape[:2]) < 1:
        return np.full((*size, channels), per_channel(background, channels)[:channels], image.dtype)
    if patch.shape[:2] != shown:
        patch = cv2.resize(patch, shown[::-1], interpolation=method)
    if shown != (height, width):
        margins = (rows.first, height - rows.last, columns.first, width - columns.last)
        patch = cv2.copyMakeBorder(patch, *margins, cv2.BORDER_CONSTANT, value=per_channel(background, channels))
    if rows.mirrored or columns.mirrored:
        patch = cv2.flip(patch, -1 if rows.mirrored and columns.mirrored else int(columns.mirrored))
    return patch[:, :, None] if patch.ndim == 2 else patch


def _span(ratio: float, start: float, target: int, source: int) -> _Span:
    """Lay the target's axis over the source's; what lies beyond the source is left to the background."""
    low, high = sorted((start, start + ratio * target))
    step = abs(ratio)
    first = 0 if low >= 0 else _nearest(-low / step)
    last = target if high <= source else target - _nearest((high - source) / step)
    return _Span(max(_nearest(low), 0), min(_nearest(high), source), first, last, ratio < 0)


def _drawn_axis(span: _Span, target: int) -> tuple[float, float]:
    """Return step and start of the source along one axis of the target."""
    step = (span.stop - span.start) / (span.last - span.first)
    if span.mirrored:
        return -step, span.start + step * (target - span.first)
    return step, span.start - step * span.first


def _nearest(value: float) -> int:
    return floor(value + 0.5)


def _reduction_method(interpolation: int, ratio: float) -> int:
    if interpolation == NEAREST:
        return cv2.INTER_NEAREST_EXACT  # the plain one takes the first pixel of each group instead of the middle one
    return AREA if ratio >= _WORTH_AVERAGING else interpolation


def per_channel(background: Any, channels: int) -> tuple[float, ...]:
    """Return a background as four values, which is what OpenCV takes; of a single channel's image the first counts.

    Raises:
        ImageError: there are several values, but not for each channel.
    """
    values = [float(value) for value in np.ravel(0 if background is None else background)]
    if len(values) == 1:
        values *= channels
    if len(values) < channels:
        raise ImageError(f"background has {len(values)} values for an image of {channels} channels")
    return tuple((values + [0.0] * 4)[:4])
