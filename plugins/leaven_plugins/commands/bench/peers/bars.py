"""Bars: the ratios of all works as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2

from leaven_plugins.commands.bench.peers.passes import Score, Scores
from leaven_plugins.commands.bench.peers.roster import BASELINE
from leaven_plugins.commands.bench.peers.works import WORKS
from leaven_plugins.commands.show.lettering import (
    CAPTION,
    FAINT,
    FRAME,
    HEADING,
    TITLE,
    Colour,
    Pixels,
    blank,
    plain,
)

OURS: Colour = (38, 110, 184)
"""RGB of leaven's bars."""
THEIRS: Colour = (168, 176, 186)
"""RGB of all others."""

_MARGIN, _GAP = 20, 12
_LENGTH = 420  # pixels of the longest bar
_BAR, _STEP = 14, 22  # pixels: height of a bar, and from one to the next


def bar_chart(works: Sequence[Scores], title: str = "") -> Pixels:
    """Return a picture with a bar for each peer of each work, as long as its ratio to the baseline.

    Args:
        works: at least one; all have the same scale.
        title: a line above everything.

    Returns:
        uint8 RGB ``(height, width, 3)``.
    """
    names = [plain(score.name) for scores in works for score in scores.scores]
    start = _MARGIN + max(map(CAPTION.width, names)) + _GAP
    remarks = max(CAPTION.width(_remark(score)) for scores in works for score in scores.scores)
    headings = max(HEADING.width(_heading(scores)) for scores in works)
    inner = max(start + _LENGTH + _GAP + remarks, _MARGIN + max(headings, TITLE.width(plain(title))))
    top = _MARGIN + (TITLE.line_height + _GAP if title else 0)
    heights = [HEADING.line_height + len(scores.scores) * _STEP + 2 * _GAP for scores in works]
    sheet = blank(top + sum(heights) + _MARGIN, inner + _MARGIN)
    if title:
        TITLE.write(sheet, plain(title), _MARGIN, _MARGIN)
    unit = _LENGTH / max(score.ratio for scores in works for score in scores.scores)
    for scores, height in zip(works, heights, strict=True):
        _draw(sheet, scores, top, start, unit)
        top += height
    return sheet


def _draw(sheet: Pixels, scores: Scores, top: int, start: int, unit: float) -> None:
    HEADING.write(sheet, _heading(scores), _MARGIN, top)
    top += HEADING.line_height + _GAP // 2
    one = start + round(unit)
    cv2.line(sheet, (one, top), (one, top + len(scores.scores) * _STEP), FRAME)  # the baseline's end
    for score in scores.scores:
        name, end = plain(score.name), start + max(round(score.ratio * unit), 1)
        text = top + (_BAR - CAPTION.line_height) // 2
        CAPTION.write(sheet, name, start - _GAP - CAPTION.width(name), text)
        cv2.rectangle(sheet, (start, top), (end, top + _BAR - 1), _colour(score), cv2.FILLED)
        CAPTION.write(sheet, _remark(score), end + _GAP // 2, text, FAINT)
        top += _STEP


def _heading(scores: Scores) -> str:
    return plain(f"{scores.work}: {WORKS[scores.work].meaning}")


def _remark(score: Score) -> str:
    times = "baseline" if score.name == BASELINE.name else f"{score.ratio:.2f} x"
    return f"{times}   {score.images_per_second:,.0f} images/s"


def _colour(score: Score) -> Colour:
    return OURS if score.name.startswith("leaven") else THEIRS
