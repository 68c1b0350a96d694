"""Lettering: text in pictures, in a face that every OpenCV has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Colour = tuple[int, int, int]

PAPER, INK, FAINT, FRAME = 255, (40, 40, 40), (115, 115, 115), (205, 205, 205)
"""Grey of the ground; RGB of text, of text that is less important, of lines around pictures."""

_FACE = cv2.FONT_HERSHEY_SIMPLEX  # from version 5 on drawn as a modern outline font
_LEADING = 4


class Style(NamedTuple):
    """How text looks: a scale of the face, and whether it is bold."""

    scale: float
    bold: bool = False

    @property
    def line_height(self) -> int:
        """Pixels from one line to the next."""
        (_, height), below = cv2.getTextSize("Ag", _FACE, self.scale, self._stroke)
        return int(height + below + _LEADING)

    def width(self, text: str) -> int:
        """Return how many pixels a line of text takes."""
        return int(cv2.getTextSize(text, _FACE, self.scale, self._stroke)[0][0])

    def flowed(self, parts: Iterable[str], width: int) -> list[str]:
        """Return texts side by side in lines of at most ``width`` pixels; none is broken, a longer one stands alone."""
        lines: list[str] = []
        for part in parts:
            if lines and self.width(f"{lines[-1]}   {part}") <= width:
                lines[-1] = f"{lines[-1]}   {part}"
            else:
                lines.append(part)
        return lines

    def write(self, picture: Pixels, text: str, x: int, y: int, colour: Colour = INK) -> None:
        """Draw a line of text with its upper left corner at (x, y)."""
        height = cv2.getTextSize("Ag", _FACE, self.scale, self._stroke)[0][1]
        cv2.putText(picture, text, (x, y + height + _LEADING), _FACE, self.scale, colour, self._stroke, cv2.LINE_AA)

    @property
    def _stroke(self) -> int:
        return 2 if self.bold else 1


CAPTION = Style(0.4)
HEADING = Style(0.4, bold=True)
TITLE = Style(0.55)


def plain(text: str) -> str:
    """Return the text with only those characters that the face has in all versions."""
    return text.encode("ascii", "replace").decode()


def blank(height: int, width: int) -> Pixels:
    """Return an empty RGB sheet."""
    return np.full((height, width, 3), PAPER, np.uint8)


def place(sheet: Pixels, picture: Pixels, x: int, y: int, frame: Colour = FRAME) -> None:
    """Put a picture with a thin frame around it on the sheet, its upper left corner at (x, y)."""
    height, width = picture.shape[:2]
    cv2.rectangle(sheet, (x - 1, y - 1), (x + width, y + height), frame)
    sheet[y : y + height, x : x + width] = picture
