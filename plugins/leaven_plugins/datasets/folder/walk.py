"""Walking through a folder, without ever leaving it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from leaven.errors import DatasetError, listing
from leaven_plugins.datasets.open_file import missing


def files_below(root: Path) -> Iterator[str]:
    """Yield the relative paths, with ``/``, of all files below ``root`` but those whose names begin with a dot.

    Raises:
        DatasetError: a symbolic link leads out of ``root``, or a folder cannot be read.
    """
    inside = os.path.realpath(root)
    for folder, subfolders, names in os.walk(root, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        names = [name for name in names if not name.startswith(".")]
        for path in (os.path.join(folder, name) for name in (*subfolders, *names)):
            if os.path.islink(path):
                _check_link(path, root, inside)
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in names)


def check_files(root: Path, keys: Iterable[str]) -> None:
    """Raise a ``DatasetError`` for the first of some files below ``root`` that is not there, or lies outside."""
    inside = os.path.realpath(root)
    folders = {os.path.dirname(key): key for key in keys}
    for folder in folders:
        _check_link(os.path.join(root, folder), root, inside)
    for key in keys:
        path = os.path.join(root, key)
        try:
            mode = os.lstat(path).st_mode
        except OSError:
            raise DatasetError(missing(Path(path))) from None
        if stat.S_ISLNK(mode):
            _check_link(path, root, inside)


def contents(folder: Path) -> str:
    """Return the first names in a folder, for texts of errors."""
    return listing((entry.name + "/" * entry.is_dir() for entry in folder.iterdir()), 8)


def _check_link(path: str, root: Path, inside: str) -> None:
    target = os.path.realpath(path)
    if os.path.commonpath([inside, target]) != inside:
        raise DatasetError(f"{path}: a symbolic link out of {root}, to {target}")


def _refuse(error: OSError) -> None:
    raise DatasetError(f"{error.filename}: cannot be read: {error.strerror}") from error
