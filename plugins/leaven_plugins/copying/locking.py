"""A lock that processes wait for, and that leaves no file behind."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leaven.errors import DatasetError


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Context in which no other process, and no other thread, is at work on the same target.

    Its file lies beside the target. Where file systems have no locks, as some network ones, nobody waits.

    Raises:
        DatasetError: there can be no file.
    """
    path = target.with_name(f".{target.name}.autocopy.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = _locked(path)
    except OSError as error:
        raise DatasetError(f"{target}: cannot be written: {error.strerror}: {error.filename}") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is given back: whoever has waited sees that it is another file's
        os.close(fd)


def _locked(path: Path) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
        except OSError:
            return fd
        if _is_at(path, fd):
            return fd
        os.close(fd)


def _is_at(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except FileNotFoundError:
        return False
