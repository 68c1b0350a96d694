"""``leaven data optimize`` for folders: each JPEG is replaced by the repacked one, all at once or not at all.

A process that is killed leaves files that are done, and files that are as they were; the next one has the latter to do,
as the former tell by their restart markers.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.commands.data.photo_files import replace_content
from leaven_plugins.commands.data.repacking import REPACKED, Repacker, Tally


def optimize_folder(
    root: Path, files: Sequence[str], repacker: Repacker, jobs: int | None, advance: Callable[[], None]
) -> Tally:
    """Repack the ``files`` below ``root``, and return what became of them.

    Symbolic links are left alone, and so is what cannot be read or replaced.
    """
    tally = Tally()
    for outcome, before, after in ordered(lambda name: _optimized(root / name, repacker), files, jobs):
        tally.add(outcome, before, after)
        advance()
    return tally


def _optimized(path: Path, repacker: Repacker) -> tuple[str, int, int]:
    """Return the outcome, and the sizes before and after."""
    size = 0
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return "not a file of its own", 0, 0
        with open(path, "rb") as file:
            status, image = os.fstat(file.fileno()), file.read()
        size = len(image)
        repacked = repacker(image)
        if repacked.outcome != REPACKED:
            return repacked.outcome, size, size
        if not replace_content(path, repacked.image, status):
            return "changed meanwhile", size, size
    except OSError as error:
        return (error.strerror or str(error)).lower(), size, size
    return REPACKED, size, len(repacked.image)
