"""Files that the command writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2

from leaven.errors import LeavenError
from leaven_plugins.commands.bench.peers.bars import bar_chart
from leaven_plugins.commands.bench.peers.passes import Scores

_TITLE = "Images per second, by those of PyTorch's DataLoader with OpenCV"


def check_writable(*paths: Path | None) -> None:
    """Find out before the measurement, which takes minutes, whether files can be written after it.

    Raises:
        LeavenError: one cannot.
    """
    for path in filter(None, paths):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("ab").close()
        except OSError as error:
            raise LeavenError(f"cannot write {path}: {error.strerror or error}") from error


def write_chart(path: Path | None, works: Sequence[Scores]) -> None:
    """Write the bar chart, if there is to be one."""
    if path is not None:
        path.write_bytes(cv2.imencode(".png", bar_chart(works, _TITLE)[:, :, ::-1])[1].tobytes())


def write_json(path: Path | None, report: Mapping[str, Any]) -> None:
    """Write the JSON report, if there is to be one."""
    if path is not None:
        path.write_text(json.dumps(report, indent=1) + "\n")
