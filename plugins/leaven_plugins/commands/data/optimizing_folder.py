"""``leaven data optimize`` for folders: each JPEG is replaced by the repacked one, all at once or not at all.

A process that is killed leaves files that are done, and files that are as they were; the next one has the latter to do,
as the former tell by their restart markers.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from leaven.errors import DatasetError
from leaven_plugins.commands.data.parallel import ordered
from leaven_plugins.commands.data.photo_files import replace_content
from leaven_plugins.repacking.repacker import REPACKED, Repacker
from leaven_plugins.repacking.tally import Tally

_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)  # the next file would fare no better


class _Done(NamedTuple):
    outcome: str
    before: int
    after: int
    failed: bool = False


def optimize_folder(
    root: Path, files: Sequence[str], repacker: Repacker, jobs: int | None, advance: Callable[[], None]
) -> Tally:
    """Repack the ``files`` below ``root``, and return what became of them.

    Symbolic links are left alone, and so is what cannot be read or replaced.

    Raises:
        DatasetError: the disk is full, or nothing can be written to it.
    """
    tally = Tally()
    for done in ordered(lambda name: _optimized(root / name, repacker), files, jobs):
        tally.add(*done)
        advance()
    return tally


def _optimized(path: Path, repacker: Repacker) -> _Done:
    size = 0
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return _Done("not a file of its own", 0, 0)
        with open(path, "rb") as file:
            status, image = os.fstat(file.fileno()), file.read()
        size = len(image)
        repacked = repacker(image)
        if repacked.outcome != REPACKED:
            return _Done(repacked.outcome, size, size)
        if not replace_content(path, repacked.image, status):
            return _Done("changed meanwhile", size, size)
    except OSError as error:
        if error.errno in _HOPELESS:
            text = "files that are done stay so, and the same command goes on with the others"
            raise DatasetError(f"{path}: cannot be replaced: {error.strerror}; {text}") from error
        return _Done((error.strerror or str(error)).lower(), size, size, failed=True)
    return _Done(REPACKED, size, len(repacked.image))
