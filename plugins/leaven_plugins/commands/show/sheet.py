"""A contact sheet: images in a grid, each with its caption."""

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

Pixels = NDArray[np.uint8]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_CAPTION, _TITLE = 0.4, 0.55
_MARGIN, _GAP = 16, 12
_PAPER, _INK, _FRAME = 255, (40, 40, 40), (205, 205, 205)


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
    _check(images, captions, tile)
    tiles = [_fitted(image, tile) for image in images]
    blocks = [[_plain(line) for line in caption.split("\n")] for caption in captions]
    grid = _Grid.of(tiles, blocks, columns, _plain(title))
    sheet = np.full((grid.height, grid.width, 3), _PAPER, np.uint8)
    _write(sheet, _plain(title), _MARGIN, _MARGIN, _TITLE)
    for number, (picture, block) in enumerate(zip(tiles, blocks, strict=True)):
        x, y = grid.corner(number)
        _place(sheet, picture, x + (grid.cell_width - picture.shape[1]) // 2, y)
        for position, line in enumerate(block):
            indent = (grid.cell_width - _text_width(line, _CAPTION)) // 2
            _write(sheet, line, x + indent, y + grid.picture_height + position * _line_height(_CAPTION), _CAPTION)
    return sheet


def displayable(images: NDArray[Any]) -> Pixels:
    """Return images of any depth as uint8.

    Integers are scaled from the range of their dtype, floats from 0 to 1, or, where they exceed it, from their own
    smallest and largest value.
    """
    if images.dtype == np.uint8:
        return images
    values = images.astype(np.float64)
    low, high = 0.0, 1.0
    if images.dtype.kind in "iu":
        high = float(np.iinfo(images.dtype).max)
    elif values.size and not (values.min() >= 0 and values.max() <= 1):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
    scaled = (np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12)
    return np.asarray((scaled * 255).round().clip(0, 255), np.uint8)


def write_sheet(path: Path, sheet: Pixels) -> None:
    """Write the sheet as a PNG file.

    Raises:
        LeavenError: it cannot be written.
    """
    ok, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    try:
        if not ok:
            raise OSError("the picture cannot be encoded")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise LeavenError(f"{path}: the sheet cannot be written: {error.strerror or error}") from error


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
    def of(cls, tiles: Sequence[Pixels], blocks: Sequence[Sequence[str]], columns: int | None, title: str) -> _Grid:
        """Return the grid that has room for all tiles and all of their captions."""
        picture_height = tiles[0].shape[0]
        cell_height = picture_height + max(map(len, blocks)) * _line_height(_CAPTION)
        widest = max(_text_width(line, _CAPTION) for block in blocks for line in block)
        cell_width = max(tiles[0].shape[1], widest)
        columns = min(len(tiles), columns or _even_columns(len(tiles), cell_height / cell_width))
        rows = ceil(len(tiles) / columns)
        top = _MARGIN + (_line_height(_TITLE) + _GAP // 2 if title else 0)
        width = max(columns * (cell_width + _GAP) - _GAP, _text_width(title, _TITLE)) + 2 * _MARGIN
        height = top + rows * (cell_height + _GAP) - _GAP + _MARGIN
        return cls(columns, cell_width, cell_height, picture_height, top, width, height)

    def corner(self, number: int) -> tuple[int, int]:
        """Return x and y of the upper left corner of a cell."""
        row, column = divmod(number, self.columns)
        return _MARGIN + column * (self.cell_width + _GAP), self.top + row * (self.cell_height + _GAP)


def _even_columns(count: int, cell_aspect: float) -> int:
    """Return the number of columns that makes a square sheet, or up to twice of it where all rows are then full."""
    square = max(1, round(sqrt(count * cell_aspect)))
    return next((columns for columns in range(square, 2 * square) if count % columns == 0), square)


def _check(images: Pixels, captions: Sequence[str], tile: int) -> None:
    if images.ndim != 4 or images.dtype != np.uint8 or 0 in images.shape:
        raise ParameterError(f"contact sheet: expected uint8 images (N, C, H, W), not {images.dtype} {images.shape}")
    if len(captions) != len(images):
        raise ParameterError(f"contact sheet: {len(captions)} captions for {len(images)} images")
    if tile < 8:
        raise ParameterError(f"contact sheet: tile={tile}: at least 8 pixels")


def _fitted(image: Pixels, tile: int) -> Pixels:
    channels, height, width = image.shape
    picture = np.ascontiguousarray(image[: 3 if channels >= 3 else 1].transpose(1, 2, 0))
    longer = max(height, width)
    if longer <= tile:
        factor = tile // longer
        picture = picture.repeat(factor, 0).repeat(factor, 1)
    else:
        size = (max(1, round(width * tile / longer)), max(1, round(height * tile / longer)))
        reduced = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        picture = np.asarray(reduced, np.uint8).reshape(size[1], size[0], -1)
    return np.broadcast_to(picture, (*picture.shape[:2], 3))


def _place(sheet: Pixels, picture: Pixels, x: int, y: int) -> None:
    height, width = picture.shape[:2]
    cv2.rectangle(sheet, (x - 1, y - 1), (x + width, y + height), _FRAME)
    sheet[y : y + height, x : x + width] = picture


def _plain(text: str) -> str:
    """Only what the drawing font has."""
    return text.encode("ascii", "replace").decode()


def _line_height(scale: float) -> int:
    (_, height), below = cv2.getTextSize("Ag", _FONT, scale, 1)
    return int(height + below + 4)


def _text_width(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, _FONT, scale, 1)[0][0])


def _write(sheet: Pixels, text: str, x: int, y: int, scale: float) -> None:
    """Draw a line of text with its upper left corner at (x, y)."""
    height = cv2.getTextSize("Ag", _FONT, scale, 1)[0][1]
    cv2.putText(sheet, text, (x, y + height + 4), _FONT, scale, _INK, 1, cv2.LINE_AA)
