"""A contact sheet: pictures in a grid, each with its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.commands.show.lettering import CAPTION, TITLE, Colour, Pixels, blank, place, plain

MARGIN, GAP = 16, 12
"""Pixels around everything, and between pictures."""
_SWATCH = 10
_ONE_ROW = 3

Legend = Sequence[tuple[Colour | None, str]]
"""What colours stand for; ``None`` for a text of its own."""


def contact_sheet(
    images: Pixels, captions: Sequence[str], columns: int | None = None, tile: int = 96, title: str = ""
) -> Pixels:
    """Return a picture of all images.

    Args:
        images: uint8 ``(N, C, H, W)``; one channel is grey, three are RGB; of two the first is shown, of more the first
            three.
        captions: a text for each image, in one or several lines.
        columns: how many images stand side by side; by default the sheet becomes about as wide as high.
        tile: longer side of the space for an image, in pixels: small images are enlarged by a whole factor, large ones
            are reduced.
        title: a line above everything.

    Returns:
        uint8 RGB ``(height, width, 3)``.

    Raises:
        ParameterError: other shapes, another dtype, or another number of captions than images.
    """
    if images.ndim != 4 or images.dtype != np.uint8 or 0 in images.shape:
        raise ParameterError(f"contact sheet: expected uint8 images (N, C, H, W), not {images.dtype} {images.shape}")
    return arranged([fitted(image, tile) for image in images], captions, columns, title)


def arranged(
    pictures: Sequence[Pixels],
    captions: Sequence[str],
    columns: int | None = None,
    title: str = "",
    legend: Legend = (),
) -> Pixels:
    """Return a sheet of pictures, as large as they are.

    Args:
        pictures: uint8 RGB ``(height, width, 3)``, at least one; smaller ones stand in the middle of their place.
        captions: a text for each, in one or several lines.
        columns: how many stand side by side; by default the sheet becomes about as wide as high.
        title: a line above everything.
        legend: below everything.

    Raises:
        ParameterError: another number of captions than pictures.
    """
    if len(captions) != len(pictures):
        raise ParameterError(f"contact sheet: {len(captions)} captions for {len(pictures)} images")
    blocks = [[plain(line) for line in caption.split("\n")] for caption in captions]
    entries = [(colour, plain(text)) for colour, text in legend]
    grid = _Grid.of(pictures, blocks, columns, plain(title), entries)
    sheet = blank(grid.height, grid.width)
    TITLE.write(sheet, plain(title), MARGIN, MARGIN)
    for number, (picture, block) in enumerate(zip(pictures, blocks, strict=True)):
        x, y = grid.corner(number)
        height, width = picture.shape[:2]
        place(sheet, picture, x + (grid.cell_width - width) // 2, y + (grid.picture_height - height) // 2)
        for position, line in enumerate(block):
            indent = (grid.cell_width - CAPTION.width(line)) // 2
            CAPTION.write(sheet, line, x + indent, y + grid.picture_height + position * CAPTION.line_height)
    _write_legend(sheet, entries)
    return sheet


def fitted(image: Pixels, tile: int) -> Pixels:
    """Return an image ``(C, H, W)`` as an RGB picture ``(height, width, 3)`` of at most ``tile`` pixels on a side.

    Small images are enlarged by a whole factor, large ones are reduced.

    Raises:
        ParameterError: ``tile`` is below 8.
    """
    if tile < 8:
        raise ParameterError(f"contact sheet: tile={tile}: at least 8 pixels")
    height, width = fitting_size(image.shape[1], image.shape[2], tile)
    picture = np.ascontiguousarray(image[: 3 if image.shape[0] >= 3 else 1].transpose(1, 2, 0))
    if height >= image.shape[1]:
        factor = height // image.shape[1]
        picture = picture.repeat(factor, 0).repeat(factor, 1)
    else:
        reduced = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        picture = np.asarray(reduced, np.uint8).reshape(height, width, -1)
    return np.broadcast_to(picture, (height, width, 3))


def fitting_size(height: int, width: int, tile: int) -> tuple[int, int]:
    """Return height and width at which :func:`fitted` shows an image of this size."""
    longer = max(height, width)
    if longer <= tile:
        return height * (tile // longer), width * (tile // longer)
    return max(1, round(height * tile / longer)), max(1, round(width * tile / longer))


def displayable(images: NDArray[Any]) -> Pixels:
    """Return images of any depth as uint8.

    Integers are scaled from the range of their dtype. Floats are taken for values from 0 to 1; where they exceed these,
    from 0 to 255; and where they exceed those too, from their own smallest to their largest value.
    """
    if images.dtype == np.uint8:
        return images
    values = images.astype(np.float64)
    low, high = 0.0, 1.0
    if images.dtype.kind in "iu":
        high = float(np.iinfo(images.dtype).max)
    elif values.size and not (values.min() >= 0 and values.max() <= 1):
        within_a_byte = values.min() >= 0 and values.max() <= 255
        low, high = (0.0, 255.0) if within_a_byte else (float(np.nanmin(values)), float(np.nanmax(values)))
    scaled = (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12)
    return np.asarray((scaled * 255).round().clip(0, 255), np.uint8)


def write_sheet(path: Path, sheet: Pixels) -> None:
    """Write a picture; the suffix tells the format: PNG, JPEG (``.jpg``), or another that OpenCV writes.

    Raises:
        LeavenError: it cannot be written.
    """
    try:
        data = _encoded(path.suffix.lower(), sheet)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise LeavenError(f"{path}: the sheet cannot be written: {error.strerror or error}") from error


def _encoded(suffix: str, sheet: Pixels) -> bytes:
    try:
        ok, data = cv2.imencode(suffix or ".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), _OPTIONS.get(suffix, ()))
    except cv2.error:
        ok = False
    if not ok:
        raise OSError(f"there is no picture format {suffix!r}; use .png or .jpg")
    return bytes(data.tobytes())


_OPTIONS = {".jpg": (cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_OPTIMIZE, 1)}


@dataclass(frozen=True)
class _Grid:
    """Where everything goes; all numbers are pixels but for ``columns``."""

    columns: int
    cell_width: int
    cell_height: int
    picture_height: int
    top: int
    width: int
    height: int

    @classmethod
    def of(
        cls,
        pictures: Sequence[Pixels],
        blocks: Sequence[Sequence[str]],
        columns: int | None,
        title: str,
        legend: Legend,
    ) -> _Grid:
        """Return the grid that has room for all pictures and all of their captions."""
        picture_height = max(picture.shape[0] for picture in pictures)
        cell_height = picture_height + max(map(len, blocks)) * CAPTION.line_height
        widest = max(CAPTION.width(line) for block in blocks for line in block)
        cell_width = max(widest, *(picture.shape[1] for picture in pictures))
        columns = min(len(pictures), columns or _even_columns(len(pictures), cell_height / cell_width))
        rows = ceil(len(pictures) / columns)
        top = MARGIN + (TITLE.line_height + GAP // 2 if title else 0)
        content = max(columns * (cell_width + GAP) - GAP, TITLE.width(title), _legend_width(legend))
        height = top + rows * (cell_height + GAP) - GAP + MARGIN + (CAPTION.line_height + GAP if legend else 0)
        return cls(columns, cell_width, cell_height, picture_height, top, content + 2 * MARGIN, height)

    def corner(self, number: int) -> tuple[int, int]:
        """Return x and y of the upper left corner of a cell."""
        row, column = divmod(number, self.columns)
        return MARGIN + column * (self.cell_width + GAP), self.top + row * (self.cell_height + GAP)


def _even_columns(count: int, cell_aspect: float) -> int:
    """Return the number of columns that makes a square sheet, or up to twice of it where all rows are then full."""
    if count <= _ONE_ROW:
        return count
    square = max(1, round(sqrt(count * cell_aspect)))
    return next((columns for columns in range(square, 2 * square) if count % columns == 0), square)


def _legend_width(legend: Legend) -> int:
    return sum(_swatch_width(colour) + CAPTION.width(text) + GAP for colour, text in legend)


def _swatch_width(colour: Colour | None) -> int:
    return 0 if colour is None else _SWATCH + 6


def _write_legend(sheet: Pixels, legend: Legend) -> None:
    x, y = MARGIN, sheet.shape[0] - MARGIN - CAPTION.line_height
    for colour, text in legend:
        if colour is not None:
            middle = y + CAPTION.line_height // 2 + 2
            cv2.rectangle(sheet, (x, middle - _SWATCH // 2), (x + _SWATCH, middle + _SWATCH // 2), colour, cv2.FILLED)
        x += _swatch_width(colour)
        CAPTION.write(sheet, text, x, y)
        x += CAPTION.width(text) + GAP
