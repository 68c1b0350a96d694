"""Masks: class numbers of an image's pixels, drawn without ever mixing two of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import SampleError
from leaven_plugins.ops.geometry import Matrix, Size

_TIE = 1e-7  # pixels: a place between two pixels belongs to the second one, whatever the last bit says


class Drawn(NamedTuple):
    """What is shown of a mask: its number in each pixel, ``(height, width)``, and whether the pixel lies within it.

    Outside, the numbers are any of the mask.
    """

    numbers: NDArray[Any]
    inside: NDArray[np.bool_]


def check_fits(mask_size: Size, image_size: Size) -> None:
    """Check that a mask covers its image, perhaps at another resolution.

    Raises:
        SampleError: height and width do not have the same ratio, but for rounding.
    """
    if not _covers(mask_size, image_size):
        (height, width), (rows, columns) = mask_size, image_size
        hint = '; it fits the upright image (annotated="upright")' if _covers(mask_size, (columns, rows)) else ""
        raise _error(f"a mask of {height} x {width} does not cover an image of {rows} x {columns} pixels{hint}")


def _covers(mask_size: Size, image_size: Size) -> bool:
    (height, width), (rows, columns) = mask_size, image_size
    rounded = abs(height * columns - rows * width) < max(rows, columns)  # off by less than a pixel of the mask
    return rounded and (height == rows) == (width == columns)


def one_channel(image: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers ``(height, width)`` in a decoded mask.

    Raises:
        SampleError: it has colours.
    """
    numbers = image[:, :, 0]
    colors = image[:, :, 1:3]  # without alpha
    if not (colors == numbers[:, :, None]).all():
        raise _error(f"the mask has colours ({image.shape[2]} channels); it has to be grey, or a PNG with a palette")
    return numbers


def draw_mask(mask: NDArray[Any], matrix: Matrix, size: Size) -> Drawn:
    """Return, for each pixel of a target, the number in the mask at its middle.

    Args:
        mask: ``(height, width)`` of any dtype.
        matrix: from points of the target to those of the mask.
        size: of the target.
    """
    (a, b, x0), (c, d, y0) = matrix.tolist()
    along, down = np.arange(size[1]) + 0.5, np.arange(size[0])[:, None] + 0.5
    columns = _whole(a * along + (b * down + x0 if b else x0))  # one row for all, where it does not turn
    rows = _whole(d * down + (c * along + y0 if c else y0))
    inside = _below(columns, mask.shape[1]) & _below(rows, mask.shape[0])
    places = rows * mask.shape[1] + columns
    return Drawn(mask.ravel().take(places, mode="clip"), inside)


def write_mask(drawn: Drawn, row: NDArray[Any], classes: int | None, ignored: int | None) -> None:
    """Write a mask into its row of a batch; pixels that it does not cover stay as they are.

    Args:
        drawn: the mask.
        row: ``(height, width)``.
        classes: numbers have to lie within 0 and ``classes - 1``; ``None`` allows all that fit the row.
        ignored: a number that is allowed besides.

    Raises:
        SampleError: a number does not fit.
    """
    numbers = drawn.numbers
    with np.errstate(invalid="ignore"):  # what is no number of this dtype is found by comparing
        written = numbers.astype(row.dtype)
    if not np.can_cast(numbers.dtype, row.dtype) and not np.array_equal(written, numbers):
        worst = numbers[written != numbers][0]
        raise _error(f"number {worst} in the mask does not fit the buffer's dtype {row.dtype}")
    if classes is not None:
        wrong = ((numbers < 0) | (numbers >= classes)) & (numbers != ignored)
        if wrong.any():
            raise _error(f"number {numbers[wrong][0]} in the mask is out of range: there are {classes} classes")
    np.copyto(row, written, where=drawn.inside)


def _whole(places: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(places + _TIE).astype(np.int64)


def _below(places: NDArray[np.int64], limit: int) -> NDArray[np.bool_]:
    """Return which are at least 0, and below the limit."""
    inside: NDArray[np.bool_] = places.view(np.uint64) < limit
    return inside


def _error(message: str) -> SampleError:
    return SampleError(message, stage="mask")
