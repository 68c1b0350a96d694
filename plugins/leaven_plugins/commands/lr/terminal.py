"""A curve in a terminal: dots of Braille characters, or asterisks where there are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # by row and column within one character
_BLANK = 0x2800  # the Braille character without dots

Points = Sequence[tuple[float, float]]


def drawn(
    points: Points, columns: int, rows: int, *, braille: bool = True, unit: str = " epochs", logarithmic: bool = False
) -> list[str]:
    """Return lines of text that show a curve, with its scales at the left and below.

    Args:
        points: pairs ``(x, y)`` of finite numbers, by rising ``x``; one or more.
        columns: width of everything, in characters; at least 20 are taken.
        rows: height of the curve, in lines.
        braille: draw with Braille characters, of 2 x 4 dots each.
        unit: what follows the last ``x`` on its scale.
        logarithmic: equal factors of ``x``, which is above 0, are equally wide.
    """
    low, high = min(0.0, *(y for _, y in points)), max(y for _, y in points)
    scales = [f"{high:.4g}", *[""] * (rows - 2), f"{low:.4g}"]
    margin = max(map(len, scales))
    width = max(columns, 20) - margin - 2
    placed = [(log10(x), y) for x, y in points] if logarithmic else points
    cells = _braille(placed, width, rows, low, high) if braille else _ascii(placed, width, rows, low, high)
    bar, corner, line = ("│", "└", "─") if braille else ("|", "+", "-")
    first, last = f"{points[0][0]:g}", f"{points[-1][0]:g}{unit}"
    lines = [f"{scale:>{margin}} {bar}{cell}".rstrip() for scale, cell in zip(scales, cells, strict=True)]
    below = f"{' ' * (margin + 1)}{corner}{line * width}"
    return [*lines, below, f"{' ' * (margin + 2)}{first}{last:>{width - len(first)}}"]


def _braille(points: Points, width: int, rows: int, low: float, high: float) -> list[str]:
    cells = [[_BLANK] * width for _ in range(rows)]
    for x, y in _spots(points, 2 * width, 4 * rows, low, high):
        cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]
    return ["".join(" " if cell == _BLANK else chr(cell) for cell in row) for row in cells]


def _ascii(points: Points, width: int, rows: int, low: float, high: float) -> list[str]:
    cells = [[" "] * width for _ in range(rows)]
    for x, y in _spots(points, width, rows, low, high):
        cells[y][x] = "*"
    return ["".join(row) for row in cells]


def _spots(points: Points, width: int, height: int, low: float, high: float) -> Iterator[tuple[int, int]]:
    """Yield the column and row, from the top, of all spots that straight lines from point to point touch."""
    first, last = points[0][0], points[-1][0]
    across, upwards = (last - first) or 1.0, (high - low) or 1.0  # to divide by: their inverse may be infinite
    spots = [((x - first) / across * (width - 1), (1 - (y - low) / upwards) * (height - 1)) for x, y in points]
    for (x, y), (to_x, to_y) in zip(spots, [*spots[1:], spots[-1]], strict=True):
        count = max(round(abs(to_x - x)), round(abs(to_y - y)), 1)
        for part in range(count + 1):
            yield round(x + (to_x - x) * part / count), round(y + (to_y - y) * part / count)
