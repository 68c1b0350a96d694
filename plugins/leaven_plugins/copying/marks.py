"""What says of a folder how far it has been copied: a file that is there from the start, and one once all is."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from leaven.errors import DatasetError

START, END = "autocopy_start.txt", "autocopy_end.txt"


def state_of(target: Path) -> str:
    """Return what a folder is: ``absent`` (also if empty), ``manual``, ``incomplete`` or ``complete``.

    Raises:
        DatasetError: it is no folder, or cannot be read.
    """
    try:
        names = os.listdir(target)
    except FileNotFoundError:
        return "absent"
    except OSError as error:
        raise DatasetError(f"{target}: cannot be a folder: {error.strerror}") from error
    if not names:
        return "absent"
    if START not in names:
        return "manual"
    return "complete" if END in names else "incomplete"


def remove_contents(target: Path) -> None:
    """Remove what was broken off, its mark at last: or what is left of it would be taken for one made by hand.

    Raises:
        DatasetError: it cannot be removed.
    """
    try:
        for entry in os.scandir(target):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path)
            elif entry.name != START:
                os.unlink(entry.path)
        with suppress(FileNotFoundError):
            (target / START).unlink()
    except OSError as error:
        raise DatasetError(f"{target}: what was broken off cannot be removed: {error.strerror or error}") from error
