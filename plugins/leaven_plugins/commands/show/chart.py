"""A chart: rows of pictures under common headings, with a name before each row and a caption below each picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from leaven_plugins.commands.show.lettering import CAPTION, FAINT, HEADING, TITLE, Pixels, blank, place, plain
from leaven_plugins.commands.show.sheet import GAP, MARGIN


class Cell(NamedTuple):
    """One picture and what is written below it."""

    picture: Pixels
    caption: str = ""


class Line(NamedTuple):
    """One row of a chart: its name, what else there is to say of it, and its cells."""

    name: str
    remark: str
    cells: Sequence[Cell | None]


def chart(lines: Sequence[Line], headings: Sequence[str] = (), title: str = "") -> Pixels:
    """Return a chart.

    Args:
        lines: at least one; they may have different numbers of cells, ``None`` for places that stay empty, and pictures
            of different sizes: each stands in the middle of its place.
        headings: of the columns.
        title: a line above everything.

    Returns:
        uint8 RGB ``(height, width, 3)``.
    """
    plan = _Plan.of(lines, headings, plain(title))
    sheet = blank(plan.height, plan.width)
    if title:
        TITLE.write(sheet, plain(title), MARGIN, MARGIN)
    for column, heading in enumerate(headings):
        text = plain(heading)
        x = plan.column(column) + (plan.cell_width - HEADING.width(text)) // 2
        HEADING.write(sheet, text, x, plan.tops[0] - HEADING.line_height - 4)
    for line, top in zip(lines, plan.tops, strict=True):
        _write_line(sheet, line, top, plan)
    return sheet


class _Plan(NamedTuple):
    """Where everything goes, in pixels."""

    name_width: int
    cell_width: int
    tops: Sequence[int]
    heights: Sequence[int]
    width: int
    height: int

    @classmethod
    def of(cls, lines: Sequence[Line], headings: Sequence[str], title: str) -> _Plan:
        cells = [cell for line in lines for cell in line.cells if cell]
        texts = [CAPTION.width(plain(cell.caption)) for cell in cells]
        cell_width = max(*texts, *(cell.picture.shape[1] for cell in cells), *map(HEADING.width, headings), 1)
        names = [max(HEADING.width(plain(line.name)), CAPTION.width(plain(line.remark))) for line in lines]
        name_width = max(names) + (GAP if max(names) else 0)
        columns = max(len(line.cells) for line in lines)
        heights = [max((cell.picture.shape[0] for cell in line.cells if cell), default=0) for line in lines]
        top = MARGIN + (TITLE.line_height + GAP if title else 0) + (HEADING.line_height if headings else 0)
        tops = [top + sum(heights[:row]) + row * (CAPTION.line_height + GAP) for row in range(len(lines))]
        width = max(name_width + columns * (cell_width + GAP) - GAP, TITLE.width(title)) + 2 * MARGIN
        return cls(name_width, cell_width, tops, heights, width, tops[-1] + heights[-1] + CAPTION.line_height + MARGIN)

    def column(self, number: int) -> int:
        return MARGIN + self.name_width + number * (self.cell_width + GAP)


def _write_line(sheet: Pixels, line: Line, top: int, plan: _Plan) -> None:
    height = plan.heights[plan.tops.index(top)]
    middle = top + height // 2
    shift = HEADING.line_height if line.remark else HEADING.line_height // 2
    HEADING.write(sheet, plain(line.name), MARGIN, middle - shift - 2)
    CAPTION.write(sheet, plain(line.remark), MARGIN, middle - 2, FAINT)
    for number, cell in enumerate(line.cells):
        if cell is None:
            continue
        x, text = plan.column(number), plain(cell.caption)
        rows, columns = cell.picture.shape[:2]
        place(sheet, cell.picture, x + (plan.cell_width - columns) // 2, top + (height - rows) // 2)
        CAPTION.write(sheet, text, x + (plan.cell_width - CAPTION.width(text)) // 2, top + height)
