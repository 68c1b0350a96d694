"""Where the memory of a shared cache is: without a name, behind another process's descriptor, or in a named folder.

A folder of that name in ``/dev/shm`` is locked by everybody who uses it, for as long as they do. The lock of a process
that was killed is gone as well, so whoever finds a folder without any knows that it was left behind.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import DatasetError, ParameterError
from leaven.stream.arena import free_memory
from leaven.stream.shared import handle, opened
from leaven_plugins.caches.shared.store import Store

ROOT = Path("/dev/shm")
"""Where named memory lies."""

_FILE = "records"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PATIENCE = 20.0  # seconds


class Joined(NamedTuple):
    """A store with a name, and what says that it is used."""

    store: Store
    folder: Path
    lock: int


def without_name(size: int) -> Store:
    """Return a new store in memory that is gone with the last process that has it.

    Raises:
        ParameterError: there is not as much memory.
    """
    _check_room(size, free_memory(), "of memory")
    fd = os.memfd_create("leaven-cache", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return Store(fd, size, new=True)


def handle_of(store: Store) -> dict[str, int]:
    """Return what :func:`of_handle` needs in another process of this machine, as plain data."""
    return {**handle(store.fd), "identity": store.identity}


def of_handle(known: Mapping[str, Any]) -> Store:
    """Return the store of another process.

    Raises:
        WorkerError: it does not exist any more, or is another machine's.
        ParameterError: the memory there is another one.
    """
    fd = opened(known)
    store = Store(fd, os.fstat(fd).st_size)
    if store.identity != known["identity"]:
        raise ParameterError("cache:shared: the memory at this place is another one")
    return store


def of_name(name: str, size: int) -> Joined:
    """Return the store of this name, which is made if nobody has it.

    Raises:
        ParameterError: the name is none, or there is not as much memory.
        DatasetError: there can be none here.
    """
    if not _NAME.fullmatch(name):
        raise ParameterError(f"cache:shared: name={name!r}: expected letters, digits, '.', '_' and '-', 100 at most")
    folder = ROOT / f"{_prefix()}{name}"
    deadline = time.monotonic() + _PATIENCE
    try:
        while (joined := _joined(folder, size)) is None:
            if time.monotonic() > deadline:
                raise DatasetError(f"{folder}: somebody else has it locked")
            time.sleep(0.01)
    except OSError as error:
        text = f"{folder}: cannot be made or opened: {error.strerror or error}; without name= no folder is needed"
        raise DatasetError(text) from error
    return joined


def leave(folder: Path, lock: int, pid: int) -> None:
    """Say that this process does not use a store any more; whoever was the last one removes it."""
    if pid == os.getpid() and _is_locked_alone(lock):  # a forked process has its parent's lock
        shutil.rmtree(folder, ignore_errors=True)
    os.close(lock)


def _joined(folder: Path, size: int) -> Joined | None:
    """Make the store or open it; ``None`` if somebody was just doing the same, or removing it."""
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
    try:
        lock = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return None
    try:
        if os.fstat(lock).st_uid != os.geteuid():
            raise PermissionError(0, "it belongs to another user")
        store = _made(folder, lock, size) if _is_locked_alone(lock) else _found(folder, lock)
    except BaseException:
        os.close(lock)
        raise
    if store is None:
        os.close(lock)
        return None
    return Joined(store, folder, lock)


def _made(folder: Path, lock: int, size: int) -> Store | None:
    """Make the store in a folder that nobody uses; what lies in it was left behind."""
    if not _is_at(folder, lock):
        return None
    try:
        _sweep(folder.parent)
        path = folder / _FILE
        path.unlink(missing_ok=True)
        _check_room(size, min(free_memory(), shutil.disk_usage(folder).free), f"in {folder.parent}")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.ftruncate(fd, size)
        store = Store(fd, size, new=True)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    fcntl.flock(lock, fcntl.LOCK_SH)
    return store


def _found(folder: Path, lock: int) -> Store | None:
    fcntl.flock(lock, fcntl.LOCK_SH)  # whoever is making it has it locked alone
    if not _is_at(folder, lock):
        return None
    with suppress(FileNotFoundError):  # whoever was making it has failed
        fd = os.open(folder / _FILE, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        return Store(fd, os.fstat(fd).st_size)
    return None


def _sweep(root: Path) -> None:
    """Remove what processes that were killed have left."""
    for folder in root.glob(f"{_prefix()}*"):
        with suppress(OSError):
            lock = os.open(folder, _FOLDER)
            if _is_locked_alone(lock):
                shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _is_locked_alone(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(folder: Path, lock: int) -> bool:
    try:
        return os.path.samestat(os.stat(folder), os.fstat(lock))
    except FileNotFoundError:
        return False


def _prefix() -> str:
    return f"leaven-cache-{os.geteuid()}-"


def _check_room(size: int, free: float, where: str) -> None:
    if size > free:
        raise ParameterError(
            f"cache:shared: a budget of {size / 1e9:.3g} GB: {free / 1e9:.3g} GB {where} are free; take a smaller one"
        )
