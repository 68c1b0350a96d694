"""The JPEG files below a folder, and putting another content in place of one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from leaven.errors import DatasetError
from leaven_plugins.datasets.locks import lock
from leaven_plugins.datasets.replacing import PART, Replacement, is_unchanged

_SUFFIXES = (".jpg", ".jpeg")
_PARTS = tuple(suffix + PART for suffix in _SUFFIXES)


def photo_files(root: Path) -> list[str]:
    """Return the relative paths, with ``/``, of all JPEGs by name; names that begin with a dot are left out.

    Raises:
        DatasetError: a folder cannot be read.
    """
    return sorted(path for path in _files(root) if path.lower().endswith(_SUFFIXES) and not _is_hidden(path))


@contextmanager
def only_one_at_work(root: Path) -> Iterator[None]:
    """Context in which no other process replaces files below ``root``; what one that was killed left is deleted.

    Raises:
        DatasetError: another process is at work, or a folder cannot be read or written.
    """
    try:
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise DatasetError(f"{root}: cannot be read: {error.strerror}") from error
    try:
        if not lock(descriptor):
            raise DatasetError(f"{root}: another process is at work on this; wait until it is done")
        _sweep(root)
        yield
    finally:
        os.close(descriptor)


def replace_content(path: Path, content: bytes, former: os.stat_result) -> bool:
    """Put ``content`` in place of a file's, which keeps time, mode, owner and attributes; never is it there in part.

    Returns:
        False where the file is no longer what ``former`` says, and was left alone.

    Raises:
        OSError: the disk is full, or nothing may be written here.
    """
    with Replacement(path) as new:
        new.file.write(content)
        new.sync()
        with suppress(PermissionError):  # only root may give a file away
            os.chown(new.part, former.st_uid, former.st_gid)
        shutil.copystat(path, new.part)
        if not is_unchanged(path, former):
            return False
        new.place()
    return True


def _sweep(root: Path) -> None:
    for path in _files(root):
        if path.lower().endswith(_PARTS) and _is_hidden(path):
            try:
                (root / path).unlink(missing_ok=True)
            except OSError as error:
                raise DatasetError(f"{root / path}: cannot be deleted: {error.strerror}") from error


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")


def _files(root: Path) -> Iterator[str]:
    for folder, subfolders, names in os.walk(root, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in names)


def _refuse(error: OSError) -> None:
    raise DatasetError(f"{error.filename}: cannot be read: {error.strerror}") from error
