"""A picture of a dataset: its classes, the sizes of its images, and some of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np

from leaven_plugins.commands.data.report import label_text, size_text
from leaven_plugins.commands.show.lettering import CAPTION, FAINT, FRAME, HEADING, TITLE, Pixels, blank, plain
from leaven_plugins.commands.show.sheet import GAP, MARGIN, arranged

if TYPE_CHECKING:
    from leaven_plugins.commands.data.survey import Survey

_BLUE = (31, 95, 168)
_WIDTH, _HEIGHT = 420, 300
_MOST_CLASSES = 20
_AXIS = 46  # pixels for the numbers beside an axis
_BINS = 40
_COLUMNS = 8


def picture_of(seen: Survey, title: str, images: Sequence[Pixels], captions: Sequence[str]) -> Pixels:
    """Return a picture of what was seen in a dataset.

    Args:
        seen: what was found out.
        title: the line above everything.
        images: some images, uint8 RGB ``(height, width, 3)``; none where the dataset has none.
        captions: a text for each.

    Returns:
        uint8 RGB ``(height, width, 3)``: panels of the classes, of image sizes (or of sizes in bytes where there are no
        images), and the images below.
    """
    panels = [_classes(seen)] if seen.classes else []
    panels.append(_image_sizes(seen) if len(set(seen.shapes)) > 1 else _byte_sizes(seen))
    rows = [np.hstack(panels)]
    if images:
        rows.append(arranged(images, captions, columns=_COLUMNS))
    return _titled(rows, plain(title))


def _classes(seen: Survey) -> Pixels:
    """Return a panel with a bar for each class, or where there are many with a bar for some in a row."""
    groups = np.array_split(np.arange(len(seen.classes)), min(len(seen.classes), _MOST_CLASSES))
    labels, counts = list(seen.classes), list(seen.classes.values())
    each = max(map(len, groups))
    names = [_group_name([labels[i] for i in group], seen) for group in groups]
    values = [float(np.mean([counts[i] for i in group])) for group in groups]
    panel = _panel("samples of each class" if each == 1 else f"samples of each class, mean of {each} in a row")
    left = MARGIN + max(map(CAPTION.width, names)) + 8
    step = (_HEIGHT - HEADING.line_height - 8) / len(groups)
    top = MARGIN + HEADING.line_height + 8
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        y = round(top + row * step)
        length = round((MARGIN + _WIDTH - left - _AXIS) * value / max(values))
        middle = y + round(step / 2)
        cv2.rectangle(panel, (left, y + 1), (left + length, max(y + 1, round(y + step) - 2)), _BLUE, cv2.FILLED)
        CAPTION.write(panel, name, left - 8 - CAPTION.width(name), middle - CAPTION.line_height // 2 - 2)
        CAPTION.write(panel, f"{value:,.0f}", left + length + 5, middle - CAPTION.line_height // 2 - 2, FAINT)
    return panel


def _group_name(labels: Sequence[int | str], seen: Survey) -> str:
    names = [plain(label_text(label, seen.names)) for label in (labels[0], labels[-1])]
    text = names[0] if len(labels) == 1 else f"{names[0]} .. {names[1]}"
    return text if len(text) <= 26 else text[:24] + ".."


def _image_sizes(seen: Survey) -> Pixels:
    """Return a panel with a dot for each image, by width and height; where many lie upon each other it is darker."""
    panel = _panel("sizes of images, in pixels")
    shapes = np.array(seen.shapes, float)
    area = _axes(panel, f"{shapes[:, 1].max():.0f} wide", f"{shapes[:, 0].max():.0f} high")
    rows, columns = area.shape[:2]
    y = rows - 1 - (shapes[:, 0] / shapes[:, 0].max() * (rows - 7)).astype(int)
    x = (shapes[:, 1] / shapes[:, 1].max() * (columns - 7)).astype(int)
    places, counts = np.unique(np.stack([x, y], -1), axis=0, return_counts=True)
    for (column, row), count in zip(places[np.argsort(counts)], np.sort(counts), strict=True):
        strength = 0.35 + 0.65 * np.log1p(count) / np.log1p(counts.max())
        colour = tuple(int(255 - (255 - part) * strength) for part in _BLUE)
        cv2.circle(area, (int(column), int(row)), 3, colour, cv2.FILLED, cv2.LINE_AA)
    return panel


def _byte_sizes(seen: Survey) -> Pixels:
    """Return a panel with a histogram of the samples' sizes."""
    panel = _panel("sizes of samples, in bytes")
    counts, edges = np.histogram(seen.sample_bytes, _BINS, (0, max(seen.sample_bytes, default=0) or 1))
    area = _axes(panel, size_text(edges[-1]), f"{counts.max():,}")
    rows, columns = area.shape[:2]
    for number, count in enumerate(counts):
        left, right = round(number * columns / _BINS), round((number + 1) * columns / _BINS) - 2
        height = round((rows - 7) * int(count) / max(1, counts.max()))
        if height:
            cv2.rectangle(area, (left, rows - height), (right, rows - 1), _BLUE, cv2.FILLED)
    return panel


def _panel(heading: str) -> Pixels:
    panel = blank(_HEIGHT + 2 * MARGIN, _WIDTH + 2 * MARGIN)
    HEADING.write(panel, heading, MARGIN, MARGIN)
    return panel


def _axes(panel: Pixels, right: str, top: str) -> Pixels:
    """Draw two axes that begin at 0, with what is at their ends; return the part of the panel between them."""
    x, y = MARGIN + max(_AXIS, CAPTION.width(top) + 6), MARGIN + HEADING.line_height + 8
    bottom, end = MARGIN + _HEIGHT - CAPTION.line_height - 4, MARGIN + _WIDTH
    cv2.line(panel, (x - 1, y), (x - 1, bottom), FRAME)
    cv2.line(panel, (x - 1, bottom), (end, bottom), FRAME)
    CAPTION.write(panel, "0", x - 6, bottom + 2, FAINT)
    CAPTION.write(panel, right, end - CAPTION.width(right), bottom + 2, FAINT)
    CAPTION.write(panel, top, x - 6 - CAPTION.width(top), y - 4, FAINT)
    return panel[y:bottom, x:end]


def _titled(rows: Sequence[Pixels], title: str) -> Pixels:
    """Return rows of panels below a title."""
    width = max(*(row.shape[1] for row in rows), TITLE.width(title) + 2 * MARGIN)
    head = blank(MARGIN + TITLE.line_height + GAP // 2, width)
    TITLE.write(head, title, MARGIN, MARGIN)
    return np.vstack([head, *(np.hstack([row, blank(row.shape[0], width - row.shape[1])]) for row in rows)])
