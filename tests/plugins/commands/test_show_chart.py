from __future__ import annotations

import numpy as np
import pytest

from leaven_plugins.commands.show.chart import Cell, Line, chart
from leaven_plugins.commands.show.lettering import CAPTION, HEADING, TITLE, blank, plain

DARK = np.zeros((30, 50, 3), np.uint8)


def ink(sheet):
    rows, columns = np.nonzero((sheet != 255).any(2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def cell(height=30, width=50, caption=""):
    return Cell(np.zeros((height, width, 3), np.uint8), caption)


@pytest.mark.parametrize("title", ["", "a title that is much wider than all of the pictures below it together are"])
@pytest.mark.parametrize("headings", [(), ("low", "a heading wider than its column", "high")])
@pytest.mark.parametrize("caption", ["", "0.25", "a caption much wider than its picture"])
def test_nothing_is_cut(title, headings, caption):
    lines = [
        Line("name", "a remark that is long", [cell(caption=caption), cell(), cell()]),
        Line("a rather long name of a row", "", [cell(60, 20), None, cell(10, 90, caption)]),
    ]
    sheet = chart(lines, headings, title)
    top, left, bottom, right = ink(sheet)
    assert min(top, left, sheet.shape[0] - bottom, sheet.shape[1] - right) >= 8


def test_pictures_stand_in_columns():
    sheet = chart([Line("a", "", [cell(), cell()]), Line("b", "", [cell(), cell()])], ("one", "two"))
    dark = (sheet == 0).all(2)
    assert dark.sum() >= 4 * 30 * 50
    columns = np.flatnonzero(dark.sum(0) >= 60)
    assert len(columns) == 2 * 50
    assert (np.diff(columns) > 1).sum() == 1


def test_an_empty_place_stays_empty():
    full = chart([Line("", "", [cell(), cell()])])
    gap = chart([Line("", "", [None, cell()])])
    assert full.shape == gap.shape
    assert ink(gap)[1] > ink(full)[1] + 50


def test_smaller_pictures_are_centred():
    sheet = chart([Line("", "", [cell(10, 10)]), Line("", "", [cell(10, 50)])])
    rows, columns = np.nonzero((sheet == 0).all(2))
    first = columns[rows < rows.min() + 10]
    assert abs(first.mean() - columns[rows > rows.max() - 10].mean()) <= 1


def test_text_takes_as_much_room_as_it_says():
    for style in (CAPTION, HEADING, TITLE):
        sheet = blank(60, 400)
        style.write(sheet, "Agjpq 0.25", 10, 10)
        top, left, bottom, right = ink(sheet)
        assert top >= 10
        assert bottom <= 10 + style.line_height
        assert left >= 9
        assert right <= 10 + style.width("Agjpq 0.25") + 1


def test_texts_flow_into_lines():
    parts = [f"part {number}" for number in range(10)]
    lines = CAPTION.flowed(parts, 150)
    assert len(lines) > 1
    assert all(CAPTION.width(line) <= 150 for line in lines)
    assert "   ".join(lines) == "   ".join(parts)
    alone = "a part much longer than there is room for"
    assert CAPTION.flowed([alone], 20) == [alone]
    assert CAPTION.flowed([], 20) == []


def test_plain_text():
    assert plain("5 °C") == "5 ?C"
