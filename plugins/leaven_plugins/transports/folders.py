"""Private folders: for this user alone, locked while their owner lives, removed by the next one where it has died."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import tempfile
from pathlib import Path

from leaven.errors import TransportError

_PREFIX = "leaven-"
_LOCK = "leaven.lock"
_LIMIT = 107  # bytes of a unix socket's path, on Linux


class PrivateFolder:
    """A new folder of mode 0700, below ``parent``, ``$XDG_RUNTIME_DIR`` or the temporary folder.

    Folders there that processes of this user made which have died since are removed first.

    Attributes:
        path: of the folder.

    Raises:
        TransportError: the folder cannot be made, or its path is too long for a socket.
    """

    def __init__(self, parent: str | None = None) -> None:
        parent = parent or os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        remove_abandoned(parent)
        try:
            self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            try:
                self._lock = _locked(self.path)
            except OSError:
                os.rmdir(self.path)  # without a lock nobody would remove it
                raise
        except OSError as error:
            remedy = no_descriptors(error.errno) or "set TMPDIR to one that can be written"
            raise TransportError(
                f"cannot make a folder for sockets in {parent!r} ({error.strerror}); {remedy}"
            ) from error
        if len(os.fsencode(self.path / "worker-000")) > _LIMIT:
            self.remove()
            raise TransportError(
                f"{str(self.path)!r} is too long for a socket's path ({_LIMIT} bytes); set TMPDIR to a shorter one"
            )

    def remove(self) -> None:
        """Remove it with the files in it. Idempotent."""
        if self._lock < 0:
            return
        with contextlib.suppress(OSError):
            _remove(self.path)
        os.close(self._lock)
        self._lock = -1


def no_descriptors(number: int | None) -> str:
    """Return what to do about an ``errno`` that says that no file can be opened any more; ``""`` for others."""
    if number == errno.EMFILE:
        return "this process may have no more files and connections open: allow it more (ulimit -n)"
    if number == errno.ENFILE:
        return "this machine may have no more files and connections open: allow more (sysctl fs.file-max)"
    return ""


def remove_abandoned(parent: str) -> None:
    """Remove the private folders in ``parent`` whose owners have died: their locks can be taken.

    A folder without a lock is left alone: it is being made, or is none of ours.
    """
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(Path(entry.path))


def _locked(folder: Path) -> int:
    """Put a locked file into the folder: it is locked before it has its name, so that nobody can be faster."""
    new = folder / f"{_LOCK}.new"
    fd = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.rename(new, folder / _LOCK)
    except OSError:
        os.close(fd)
        os.unlink(new)
        raise
    return fd


def _remove_if_abandoned(folder: Path) -> None:
    if os.lstat(folder).st_uid != os.getuid():
        return
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(folder)
    finally:
        os.close(lock)


def _remove(folder: Path) -> None:
    """Remove the files in the folder, the lock last, and the folder; whatever else is in it stays, and so does it."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        for name in sorted(os.listdir(fd), key=lambda name: name == _LOCK):
            os.unlink(name, dir_fd=fd)
    finally:
        os.close(fd)
    os.rmdir(folder)
