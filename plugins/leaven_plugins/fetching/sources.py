"""Sources: where the original files of a dataset come from."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from leaven.errors import DatasetError, DeclarationError, FormatError
from leaven_plugins.fetching.holding import held
from leaven_plugins.fetching.transfer import PART, Progress, Transfer
from leaven_plugins.fetching.verifying import WRONG, check_declared, open_plain, put_aside, verified

_LOG = logging.getLogger("leaven.datasets")


class Source(Protocol):
    """One original file.

    Attributes:
        filename: the plain name that it has, or is to have.
        sha256: what it has to be; ``None`` for anything, which is told in the log ``leaven.datasets``.
    """

    @property
    def filename(self) -> str: ...  # noqa: D102

    @property
    def sha256(self) -> str | None: ...  # noqa: D102

    def is_here(self, folder: Path) -> bool:
        """Return whether it can be had without a network."""

    def acquire(self, folder: Path, progress: Progress | None = None) -> Path:
        """Return the path of the file, which was verified just now; bring it to ``folder`` first where need be.

        Raises:
            FormatError: it is not the file that was expected; the next call finds it gone.
            DatasetError: it cannot be had.
        """

    def delete(self, folder: Path) -> list[Path]:
        """Delete what :meth:`acquire` has brought to ``folder``, and return what that was."""


@dataclass(frozen=True)
class Download:
    """A file that is downloaded.

    Args:
        filename: the name that it gets.
        urls: addresses, of the same content; the first that works is taken.
        sha256: of the content; ``None`` for anything.
        transfer: how it is fetched.
    """

    filename: str
    urls: Sequence[str]
    sha256: str | None = None
    transfer: Transfer = field(default_factory=Transfer)

    def __post_init__(self) -> None:
        check_declared(self.filename, self.sha256)
        if isinstance(self.urls, str) or not self.urls:
            raise DeclarationError(f"{self.filename}: urls must be a list of addresses, not {self.urls!r}")

    def is_here(self, folder: Path) -> bool:
        """Return whether it was downloaded before."""
        return (folder / self.filename).is_file()

    def acquire(self, folder: Path, progress: Progress | None = None) -> Path:
        """Return the path of the file, downloaded and verified; see :meth:`Source.acquire`."""
        path = folder / self.filename
        with held(path):
            if path.exists():
                return _checked(path, self.sha256)
            found = self.transfer.fetch(self.urls, path, self.sha256, progress).sha256
            return _told(path, self.sha256, found)

    def delete(self, folder: Path) -> list[Path]:
        """Delete the file, what there is of it, and wrong ones."""
        return _deleted(folder, self.filename, "", WRONG, PART, f"{PART}.json")


@dataclass(frozen=True)
class CopyFile:
    """A file of this machine that is copied.

    Args:
        filename: the name that the copy gets.
        path: where the file is.
        sha256: of the content; ``None`` for anything.
    """

    filename: str
    path: str | Path
    sha256: str | None = None

    def __post_init__(self) -> None:
        check_declared(self.filename, self.sha256)

    def is_here(self, folder: Path) -> bool:
        """Return whether there is the copy, or the file."""
        return (folder / self.filename).is_file() or Path(self.path).is_file()

    def acquire(self, folder: Path, progress: Progress | None = None) -> Path:
        """Return the path of the copy, verified; see :meth:`Source.acquire`."""
        path = folder / self.filename
        with held(path):
            if path.exists():
                return _checked(path, self.sha256)
            part = path.with_name(path.name + PART)
            try:
                with open_plain(self.path) as original, open(part, "wb") as copied:
                    shutil.copyfileobj(original, copied, 1 << 20)
                found = verified(part, self.sha256, f": it is a copy of {self.path}")
                os.replace(part, path)
            except OSError as error:
                raise DatasetError(f"{self.path}: cannot be copied to {path}: {error.strerror}") from error
            finally:
                with suppress(OSError):
                    part.unlink()
        return _told(path, self.sha256, found)

    def delete(self, folder: Path) -> list[Path]:
        """Delete the copy."""
        return _deleted(folder, self.filename, "", WRONG)


@dataclass(frozen=True)
class ExistingFile:
    """A file that is there already, and is read where it is.

    Args:
        path: where it is.
        sha256: of the content; ``None`` for anything.
    """

    path: str | Path
    sha256: str | None = None

    def __post_init__(self) -> None:
        check_declared(self.filename, self.sha256)

    @property
    def filename(self) -> str:
        """The name of the file."""
        return Path(self.path).name

    def is_here(self, folder: Path) -> bool:
        """Return whether the file exists."""
        return Path(self.path).is_file()

    def acquire(self, folder: Path, progress: Progress | None = None) -> Path:
        """Return the path of the file, verified; it stays where it is, also where it is the wrong one."""
        path = Path(self.path)
        return _told(path, self.sha256, verified(path, self.sha256))

    def delete(self, folder: Path) -> list[Path]:
        """Delete nothing: it is the user's own."""
        return []


def _checked(path: Path, sha256: str | None) -> Path:
    try:
        verified(path, sha256)
    except FormatError as error:
        raise FormatError(f"{error}; it was renamed to {put_aside(path).name}: try again to get another") from None
    return path


def _told(path: Path, sha256: str | None, found: str) -> Path:
    if sha256 is None:
        _LOG.warning("%s: no SHA-256 is declared, it is not verified; it has %s", path, found)
    return path


def _deleted(folder: Path, name: str, *suffixes: str) -> list[Path]:
    gone = []
    for path in (folder / f"{name}{suffix}" for suffix in suffixes):
        with suppress(FileNotFoundError):
            path.unlink()
            gone.append(path)
    return gone
