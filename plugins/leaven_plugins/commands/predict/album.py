"""Album: the folder of pictures that a prediction leaves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from leaven_plugins.commands.predict.drawing import drawn
from leaven_plugins.commands.predict.gathering import sheet_of_predictions
from leaven_plugins.commands.predict.outputs import Seen, first_rows, joined_rows
from leaven_plugins.commands.show.sheet import write_sheet

SHEET = "predictions.png"
_ON_SHEET = 60


class Album:
    """Pictures of predictions: one for each image where the output is a map or a mask, and a sheet of the first ones.

    Args:
        folder: where they go.
        names: of the classes.
        with_target: show the targets, too.
    """

    def __init__(self, folder: Path, names: Sequence[str], with_target: bool) -> None:
        self._folder = folder
        self._names = names
        self._with_target = with_target
        self._kept: list[Seen] = []
        self._keys: list[str] = []

    def add(self, rows: Seen, keys: Sequence[str]) -> None:
        """Take in predictions of the images with these keys."""
        rows = rows if self._with_target else rows._replace(target=None)
        if rows.predicted.kind not in ("classes", "numbers"):
            for position, key, picture in zip(rows.positions, keys, drawn(rows, self._names).pictures, strict=True):
                write_sheet(self._folder / f"{position:05d}_{_safe(key)}.png", picture)
        room = _ON_SHEET - len(self._keys)
        if room > 0:
            self._kept.append(first_rows(rows, room))
            self._keys += keys[:room]

    def close(self, title: str) -> None:
        """Write the sheet."""
        if self._kept:
            captions = [key if len(key) <= 30 else f"...{key[-27:]}" for key in self._keys]
            sheet = sheet_of_predictions(joined_rows(self._kept), self._names, _ON_SHEET, title, captions)
            write_sheet(self._folder / SHEET, sheet)


def _safe(key: str) -> str:
    """Return a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", Path(key).stem)[:60]
