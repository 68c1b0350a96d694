"""Putting a folder in its place all at once: it comes to be beside it, and gets its name once it is on the disk.

Beside a folder ``NAME`` there may be ``NAME.tmp-ID``, which is being written, ``NAME.old-ID``, which was there before
and gives way to a new one, and ``NAME.gone-ID``, which is being deleted. The ID tells who is at it, so that what dead
processes have left can be told from what is going on.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

_LEFT = re.compile(r"(?P<name>.+)\.(?P<what>tmp|old|gone)-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<born>\d+)-[0-9a-f]{8}")
_STALE = 24 * 3600.0  # seconds, for what was left by processes of other hosts, which cannot be asked
_AT_WORKING_FOLDER = -100  # AT_FDCWD
_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)


def beside(folder: Path, what: str) -> Path:
    """Return a new name beside ``folder``; ``what`` is ``tmp``, ``old`` or ``gone``."""
    host, pid = _host(), os.getpid()
    return folder.with_name(f"{folder.name}.{what}-{host}-{pid}-{_born(pid)}-{secrets.token_hex(4)}")


def put_in_place(temporary: Path, folder: Path) -> None:
    """Give ``temporary``, which is on the disk, the name ``folder``; what was there is deleted afterwards."""
    if not folder.exists():
        temporary.rename(folder)
        sync_folder(folder.parent)
        return
    if not _exchange(temporary, folder):
        temporary = _swap(temporary, folder)
    sync_folder(folder.parent)
    remove_folder(temporary)


@contextmanager
def file_in_place(path: Path) -> Iterator[Path]:
    """Yield a name to write a file to, which takes the place of ``path`` once it is on the disk; else it is deleted."""
    temporary = beside(path, "tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Delete a folder so that no half of it is ever seen under its name; of a link to one, the link alone."""
    gone = beside(folder, "gone")
    with suppress(FileNotFoundError):  # another process was faster
        folder.rename(gone)
        _delete(gone)


def is_left(path: Path) -> bool:
    """Return whether a path is called like what is being written or deleted: it is not to be touched or counted."""
    match = _LEFT.fullmatch(path.name)
    return match is not None and match["what"] != "old"


def sweep(parent: Path, now: float) -> None:
    """Clear up what processes that are dead have left in ``parent``; ``now`` is the time of its file system."""
    with suppress(OSError):  # tidying must not keep anybody from saving
        for path in list(parent.iterdir()):
            match = _LEFT.fullmatch(path.name)
            if match and not _is_alive(match["host"], int(match["pid"]), match["born"], now - path.stat().st_mtime):
                _clear(path, parent / match["name"], match["what"])


def sync_folder(folder: Path) -> None:
    """Return once the names in ``folder`` are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(path: Path, folder: Path, what: str) -> None:
    if what == "old" and not folder.exists():
        path.rename(folder)
    else:
        _delete(path)


def _delete(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _swap(temporary: Path, folder: Path) -> Path:
    """Do it in two steps; return where the old folder is. Killed between them, this leaves ``.old-`` for sweep()."""
    old = beside(folder, "old")
    folder.rename(old)
    try:
        temporary.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    return old


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; return false where the system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    paths = os.fsencode(one), os.fsencode(other)
    return bool(rename(_AT_WORKING_FOLDER, paths[0], _AT_WORKING_FOLDER, paths[1], _EXCHANGE) == 0)


def _is_alive(host: str, pid: int, born: str, age: float) -> bool:
    if host == _host() and born != "0":
        return _born(pid) == born
    return age < _STALE


def _born(pid: int) -> str:
    """Return when a process started, in ticks of the system; ``"0"`` where that cannot be known or it is dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "0"
    return "0" if fields[0] in "ZX" else fields[19]


@cache
def _host() -> str:
    """Return a short name of what process numbers are unique in: a start of a host, and a container on it."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        known.append(os.readlink("/proc/self/ns/pid"))
    return sha256("".join(known).encode()).hexdigest()[:8]
