"""Finding the boards on which the workers of this machine's loaders say what they are on."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leaven.errors import LeavenError
from leaven.stream.board import NAME, Board

PROC = Path("/proc")


@contextmanager
def boards(proc: Path = PROC) -> Iterator[list[Board]]:
    """Context of the boards that are there, each once, in the order of their loaders' beginning.

    A user sees those of the own processes, root all.
    """
    found = list(_boards(proc))
    try:
        yield sorted(found, key=lambda board: board.began)
    finally:
        for board in found:
            board.close()


def _boards(proc: Path) -> Iterator[Board]:
    seen: set[tuple[int, int]] = set()
    for process in _entries(proc):
        for link in _entries(process / "fd") if process.name.isdecimal() else ():
            try:
                if not os.readlink(link).startswith(f"/memfd:{NAME}"):
                    continue
                status = link.stat()
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    yield _opened(link)
            except (OSError, LeavenError):  # it has ended, or is something else of this name
                continue


def _opened(link: Path) -> Board:
    fd = os.open(link, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if not fcntl.fcntl(fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
            raise LeavenError("memory that may be cut off while it is read")
        return Board.seen(fd)
    except BaseException:
        os.close(fd)
        raise


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it has ended, or is another user's
        return []
