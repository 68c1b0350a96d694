"""A confusion matrix as a picture: counts on a ground that shows the share of the row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_FACE = cv2.FONT_HERSHEY_SIMPLEX
_PAPER, _INK, _GRID = 255, (40, 40, 40), (225, 225, 225)
_HITS, _ERRORS = (18, 84, 148), (190, 60, 20)  # blue and red, RGB: the ground of a share of 1
_LONGEST = 20  # characters of a name that are shown
_SMALL = 24  # with more classes than this, letters are smaller
_MARGIN = 8


class _Letters(NamedTuple):
    """The scale of the face, and the height of a line in pixels."""

    scale: float
    height: int

    def width(self, text: str) -> int:
        return int(cv2.getTextSize(text, _FACE, self.scale, 1)[0][0])

    def widest(self, texts: Sequence[str]) -> int:
        return max(map(self.width, texts))

    def write(self, picture: Pixels, text: str, x: int, y: int, colour: tuple[int, int, int] = _INK) -> None:
        """Write with the left end of the base line at (x, y)."""
        cv2.putText(picture, text, (x, y), _FACE, self.scale, colour, 1, cv2.LINE_AA)


def confusion_picture(matrix: NDArray[np.int64], names: Sequence[str]) -> Pixels:
    """Return a picture of a matrix of counts, RGB ``(height, width, 3)``.

    A row for each label, a column for what it was taken for; at its end the share of the row that was found. The ground
    of a cell goes from white to blue on the diagonal, and to red beside it, with its share of the row; even the rarest
    mistake has some colour. Counts from 10,000 are shortened (``12k``), 0 is left out.

    Args:
        matrix: the counts, ``(classes, classes)``.
        names: of the classes; other characters than those of ASCII become ``?``, long names are cut.
    """
    letters = _Letters(0.42, 12) if len(matrix) <= _SMALL else _Letters(0.34, 10)
    titles = [_plain(name) for name in names]
    counts = [[_short(int(count)) for count in row] for row in matrix]
    cell = max(letters.widest([count for row in counts for count in row]), letters.height) + 8
    edge = letters.widest(titles) + 2 * _MARGIN
    size = edge + cell * len(matrix) + letters.width("100.0%") + 2 * _MARGIN
    sheet = np.full((edge + cell * len(matrix) + _MARGIN, size, 3), _PAPER, np.uint8)
    _draw_cells(sheet[edge:, edge:], matrix, counts, cell, letters)
    _draw_titles(sheet, titles, edge, cell, letters)
    _draw_shares(sheet[edge:, edge + cell * len(matrix) :], matrix, cell, letters)
    return sheet


def _draw_cells(
    sheet: Pixels, matrix: NDArray[np.int64], counts: Sequence[Sequence[str]], cell: int, letters: _Letters
) -> None:
    shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
    for row, column in np.ndindex(*matrix.shape):
        square = sheet[row * cell : (row + 1) * cell, column * cell : (column + 1) * cell]
        square[:] = _GRID
        square[1:, 1:] = _ground(shares[row, column], row == column)
        text = counts[row][column]
        colour = (255, 255, 255) if shares[row, column] > 0.5 else _INK
        letters.write(square, text, (cell + 1 - letters.width(text)) // 2, (cell + letters.height) // 2 - 1, colour)


def _draw_titles(sheet: Pixels, titles: Sequence[str], edge: int, cell: int, letters: _Letters) -> None:
    """Write the names to the left of the rows, and above the columns from below upwards."""
    down = (cell + letters.height) // 2 - 1
    above = np.full((cell * len(titles), edge, 3), _PAPER, np.uint8)
    for number, title in enumerate(titles):
        letters.write(sheet, title, edge - _MARGIN - letters.width(title), edge + number * cell + down)
        letters.write(above, title, _MARGIN, number * cell + down)
    sheet[:edge, edge : edge + len(above)] = np.rot90(above)


def _draw_shares(sheet: Pixels, matrix: NDArray[np.int64], cell: int, letters: _Letters) -> None:
    for number, (row, hits) in enumerate(zip(matrix, matrix.diagonal(), strict=True)):
        if total := int(row.sum()):
            letters.write(sheet, f"{hits / total:.1%}", _MARGIN, number * cell + (cell + letters.height) // 2 - 1)


def _ground(share: float, is_hit: bool) -> NDArray[np.uint8]:
    """Return the colour of a share; its root, since most mistakes are rare."""
    strength = np.sqrt(share)
    return np.asarray(_PAPER + strength * (np.array(_HITS if is_hit else _ERRORS) - _PAPER), np.uint8)


def _short(count: int) -> str:
    """Return a count in at most four characters (below 10 ** 15); ``""`` for 0."""
    if count < 10_000:
        return str(count or "")
    power = min((len(str(count)) - 1) // 3, 4)
    return f"{count // 1000**power}{'kMGT'[power - 1]}"


def _plain(name: str) -> str:
    text = name.encode("ascii", "replace").decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]}.."
