"""Alignment: where annotations of an image, such as masks and points, lie in what a worker shows of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, suggestion
from leaven.protocols import ImageInfo
from leaven.stream.buffers import BufferSpec
from leaven_plugins.ops.geometry import Matrix, Size, chained

FRAMES = ("stored", "upright")
"""What annotations may refer to: pixels as the image's file stores them, or as it is to be seen (EXIF orientation)."""

# What x and y of stored pixels are in the upright image, by orientation: signs count from the opposite border.
_STORED = {
    1: ((1, 0), (0, 1)),
    2: ((-1, 0), (0, 1)),
    3: ((-1, 0), (0, -1)),
    4: ((1, 0), (0, -1)),
    5: ((0, 1), (1, 0)),
    6: ((0, 1), (-1, 0)),
    7: ((0, -1), (-1, 0)),
    8: ((0, -1), (1, 0)),
}


def check_frame(frame: str) -> None:
    """Check what annotations are said to refer to.

    Raises:
        ParameterError: it is not in :data:`FRAMES`.
    """
    if frame not in FRAMES:
        raise ParameterError(f"annotated is {frame!r}{suggestion(frame, FRAMES)}; it has to be one of {FRAMES}")


def annotated_size(info: ImageInfo, frame: str) -> tuple[int, int]:
    """Return height and width of the image that annotations refer to."""
    turned = frame == "stored" and info.orientation >= 5
    return (info.width, info.height) if turned else (info.height, info.width)


def annotation_transform(shown: Matrix, info: ImageInfo, frame: str, image_size: Size, target_size: Size) -> Matrix:
    """Return the matrix from a target to the pixels that annotations refer to.

    Args:
        shown: from what is shown of the image to the upright image.
        info: of the image.
        frame: one of :data:`FRAMES`.
        image_size: of what is shown of the image.
        target_size: of the target, which shows the same, perhaps at another resolution.
    """
    steps = [image / target for image, target in zip(image_size, target_size, strict=True)]
    matrix = chained(shown, np.array([[steps[1], 0.0, 0.0], [0.0, steps[0], 0.0]]))
    return chained(_stored_from_upright(info), matrix) if frame == "stored" else matrix


def _stored_from_upright(info: ImageInfo) -> Matrix:
    """Return the matrix from points of the upright image to those of its stored pixels; (0, 0) is a corner of both."""
    rows = [
        [across, down, info.width * (across < 0) + info.height * (down < 0)]
        for across, down in _STORED[info.orientation]
    ]
    return np.array(rows, np.float64)


def plane_size(key: str, spec: BufferSpec) -> tuple[int, int]:
    """Return height and width of a buffer of one plane, ``(height, width)`` or ``(1, height, width)``.

    Raises:
        ParameterError: it has another shape.
    """
    shape = spec.shape[1:] if len(spec.shape) == 3 and spec.shape[0] == 1 else spec.shape
    if len(shape) != 2 or min(shape) < 1:
        expected = "(height, width) or (1, height, width)"
        raise ParameterError(f"{key}: the buffer's shape is {spec.shape}; it has to be {expected}")
    return shape[0], shape[1]


def plane(row: NDArray[Any]) -> NDArray[Any]:
    """Return the one plane of a row, ``(height, width)``, as a view."""
    view: NDArray[Any] = row[0] if row.ndim == 3 else row
    return view
