"""A folder beside a target, in which files come to be before they take their names all at once."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from leaven.errors import DatasetError

_SUFFIX = ".part"


class Staging:
    """Context with a new folder ``path`` beside ``target``, which is gone afterwards, whatever happens.

    The folder is locked for as long as its process lives. What a killed process left behind for the same target is
    removed on the way in.

    Raises:
        DatasetError: the folder cannot be made.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._lock = -1

    def __enter__(self) -> Staging:
        folder = self._target.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            guard = _locked(folder)  # or somebody's sweep comes between making and locking
            try:
                self._sweep(folder)
                self.path = Path(tempfile.mkdtemp(_SUFFIX, self._prefix, folder))
                self._lock = _locked(self.path)
            finally:
                os.close(guard)
        except OSError as error:
            raise DatasetError(f"{self._target}: cannot be written: {error.strerror}: {error.filename}") from error
        except ValueError as error:  # a NUL in it
            raise DatasetError(f"{str(self._target)!r}: cannot be written: {error}") from error
        return self

    def sync(self, names: Sequence[str]) -> None:
        """Return once these files are safely on the disk.

        Raises:
            OSError: the disk is full.
        """
        for name in names:
            _sync(self.path / name)

    def commit(self, names: Sequence[str]) -> None:
        """Give the files, which are on the disk by now, their names beside the target, in this order.

        Raises:
            OSError: a name cannot be given.
        """
        for name in names:
            os.rename(self.path / name, self._target.with_name(name))
        _sync(self._target.parent)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    @property
    def _prefix(self) -> str:
        return f".{self._target.name}."

    def _sweep(self, folder: Path) -> None:
        for entry in folder.iterdir():
            if entry.name.startswith(self._prefix) and entry.name.endswith(_SUFFIX) and entry.is_dir():
                lock = _locked(entry, wait=False)
                if lock >= 0:
                    shutil.rmtree(entry, ignore_errors=True)
                    os.close(lock)


def _locked(folder: Path, wait: bool = True) -> int:
    """Return a descriptor that holds the folder's lock, or with ``wait=False`` -1 where another process has it.

    File systems without locks (some network ones) give a descriptor without one when waiting, and -1 otherwise.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if not wait:
            os.close(descriptor)
            return -1
    return descriptor


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
