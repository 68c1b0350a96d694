"""The folder of a run: always a new one."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from leaven.errors import LeavenError


def new_folder(wanted: Path) -> Path:
    """Make and return the folder ``wanted``, or, if there is something in it, the first free of ``wanted-2, -3, ...``.

    Raises:
        LeavenError: it cannot be made.
    """
    for number in count(1):
        folder = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir() or any(folder.iterdir()):
                continue
        except OSError as error:
            raise LeavenError(f"{folder}: the folder cannot be made: {error.strerror or error}") from error
        return folder
    raise AssertionError("count() does not end")
