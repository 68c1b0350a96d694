"""The working folder beside a destination, in which a killed run leaves what it has done to the next one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError
from leaven_plugins.datasets.locks import lock, lock_named
from leaven_plugins.datasets.targets import disk_errors_named
from leaven_plugins.jobs.pack.parts import manifest_of

_SETTINGS = "settings"
_WRITING = ".writing"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW  # never what is elsewhere


def folder_of(destination: Path) -> Path:
    """Return where the working folder of a destination is."""
    return destination.with_name(f".{destination.name}.packing")


def leftovers(destination: Path) -> Path | None:
    """Return the working folder of a destination where there is one that no process is at work in."""
    folder = folder_of(destination.absolute())
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError:
        return None
    try:
        return folder if lock(descriptor) else None
    finally:
        os.close(descriptor)


def shard_path(path: Path, number: int) -> Path:
    """Return where a shard of the destination goes."""
    return path.with_name(f"{path.stem}_{number}{path.suffix}")


class WorkFolder:
    """Context with the working folder ``path`` of a destination, locked for as long as its process lives.

    What is in it from a run with another digest is removed on the way in. On the way out the folder goes as well where
    nothing is in it that would help a later run; :meth:`remove` deletes it in any case.

    Raises:
        DatasetError: it cannot be made, or another process has it locked.
    """

    def __init__(self, destination: Path, digest: str) -> None:
        self.path = folder_of(destination.absolute())
        self._destination = destination
        self._digest = digest
        self._lock = -1

    def __enter__(self) -> WorkFolder:
        with disk_errors_named(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.path, _FOLDER)
        try:
            if not lock_named(self._lock, self.path):
                raise DatasetError(f"{self._destination}: another process is packing into it; wait until it is done")
            with disk_errors_named(self._destination):
                self._clear()
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):  # whatever made it fail is the one to tell
            if set(os.listdir(self.path)) <= {_SETTINGS}:
                self.remove()
        os.close(self._lock)

    def done(self, blocks: Iterable[int]) -> dict[int, Mapping[str, Any]]:
        """Return the manifests of those of the blocks that are complete."""
        found = {block: manifest_of(self.path, block) for block in blocks}
        return {block: manifest for block, manifest in found.items() if manifest is not None}

    def begin(self, target: Path) -> None:
        """Note that ``target``, which may be written, is about to be: what is there later is ours."""
        with disk_errors_named(target):
            (self.path / f"{target.name}{_WRITING}").touch()

    def has_begun(self, target: Path) -> bool:
        """Return whether this or a former run has begun to write ``target``."""
        return (self.path / f"{target.name}{_WRITING}").exists()

    def remove(self) -> None:
        """Delete the folder, which is still locked; what says that the destination is ours goes last."""
        with suppress(OSError):
            for part in self.path.glob("[0-9]*"):
                part.unlink()
        for _ in range(3):  # the workers of a run that was killed may be about to put something into it
            shutil.rmtree(self.path, ignore_errors=True)

    def _clear(self) -> None:
        settings = self.path / _SETTINGS
        known = settings.read_text(errors="replace") if settings.exists() else ""
        for entry in self.path.iterdir():
            if known != self._digest or entry.name.startswith("."):  # the latter: half a file
                entry.unlink()
        settings.write_text(self._digest)
