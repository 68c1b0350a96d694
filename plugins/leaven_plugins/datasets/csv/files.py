"""The files that a table names: read from below one folder, and never from anywhere else."""

from __future__ import annotations

import os
from pathlib import Path

from leaven.errors import DatasetError, printable
from leaven_plugins.datasets.open_file import OpenFile, missing


def read_below(folder: Path, name: str, where: str) -> bytes:
    """Return the content of a file below ``folder``.

    Raises:
        DatasetError: the name leads out of the folder, or there is no such file; ``where`` is what names it.
    """
    path = path_below(folder, name, where)
    if not path.exists():
        raise DatasetError(f"{where}: {missing(path)}")
    file = OpenFile(path)
    try:
        return file.read(file.size, 0)
    finally:
        file.close()


def path_below(folder: Path, name: str, where: str) -> Path:
    """Return the path of a file below ``folder``; raises as :func:`read_below` does where it leads out of it."""
    if not name or "\0" in name:
        raise DatasetError(f"{where}: {printable(name, 60)!r} is no name of a file")
    inside = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(inside, name))
    if os.path.isabs(name) or os.path.commonpath([inside, path]) != inside:
        raise DatasetError(
            f"{where}: {printable(name, 200)!r} leads out of the folder {folder}: files_dir=... names another"
        )
    return Path(path)
