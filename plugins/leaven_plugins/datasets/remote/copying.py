"""The copy of a file that has an address, with the files that belong to it."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from leaven.errors import DatasetError, FormatError
from leaven_plugins.fetching.addresses import Absent, Denied, Unchanged, ask, shown
from leaven_plugins.fetching.holding import held
from leaven_plugins.fetching.transfer import Transfer
from leaven_plugins.fetching.verifying import digest_of, put_aside, verified

_LOG = logging.getLogger("leaven.datasets")
_MD5 = ".md5"


@dataclass(frozen=True)
class LocalCopy:
    """A file at ``uri``, and its copy at ``path``.

    Args:
        uri: the address.
        path: where the copy is, or is to be.
        companions: what is appended to the address for files that belong to it; some may be missing.
        sha256: what the file has to be, or ``None``.
        transfer: how it is fetched.
    """

    uri: str
    path: Path
    companions: Sequence[str]
    sha256: str | None
    transfer: Transfer

    def ensure(self, refresh: bool) -> None:
        """Have the copy, and fetch it where it is not there yet: once, whoever else wants it at the same time.

        Args:
            refresh: whether a copy that is there is replaced, if there is something else at the address by now.

        Raises:
            DatasetError: it cannot be had.
            FormatError: it is not the file that was expected.
        """
        if self.path.exists() and not refresh:
            self._check()
            return
        with held(self.path):
            if not self.path.exists() or (refresh and not self._is_current(self._note, self.path)):
                self._fetch()
        self._check()

    def _fetch(self) -> None:
        coming = self.path.with_name(f".{self.path.name}.coming")
        _LOG.info("fetching %s to %s", shown(self.uri), self.path)
        try:
            coming.mkdir(exist_ok=True)
            self._arrived(coming)
            self._placed(coming)
        except OSError as error:
            raise DatasetError(f"{self.path}: cannot be written: {error.strerror or error}") from error

    def _arrived(self, coming: Path) -> None:
        """Bring all files to a folder; what fails there can be gone on with the next time."""
        data, note = coming / self.path.name, coming / self._note.name
        for former in coming.iterdir():
            if former not in (data, note) and not former.name.startswith(f"{data.name}.part"):
                former.unlink()
        if not (data.exists() and self._is_current(note, data)):
            found = self.transfer.fetch([self.uri], data, self.sha256)
            noted = {"uri": shown(self.uri), "identity": found.identity, "sha256": found.sha256, **_state(data)}
            note.write_text(json.dumps(noted), "utf-8")
        for suffix in self.companions:
            with suppress(Absent, Denied):
                self.transfer.fetch([_companion(self.uri, suffix)], coming / f"{data.name}{suffix}")
        if (sums := coming / f"{data.name}{_MD5}").is_file():
            _check_sums(coming, sums, self.uri)

    def _placed(self, coming: Path) -> None:
        """Give the files their names; the one that tells that all are there comes last.

        A former one goes first: whoever is killed here would leave it beside what belongs to another content.
        """
        self.path.unlink(missing_ok=True)
        for suffix in self.companions:
            name = f"{self.path.name}{suffix}"
            if (coming / name).exists():
                os.replace(coming / name, self.path.with_name(name))
            else:
                self.path.with_name(name).unlink(missing_ok=True)
        os.replace(coming / self._note.name, self._note)
        os.replace(coming / self.path.name, self.path)
        shutil.rmtree(coming)

    def _check(self) -> None:
        if self.sha256 is None:
            return
        trusted = {"sha256": self.sha256.lower(), **_state(self.path)}
        if trusted.items() <= _noted(self._note).items():
            return
        try:
            verified(self.path, self.sha256)
        except FormatError as error:
            raise FormatError(
                f"{error}; it was renamed to {put_aside(self.path).name}: try again to fetch it"
            ) from None

    def _is_current(self, note: Path, path: Path) -> bool:
        """Ask whether what was noted, of the file as it is, still is what there is at the address."""
        noted = _noted(note)
        known = noted.get("identity") if _state(path).items() <= noted.items() else ""
        try:
            ask(self.uri, known=known if isinstance(known, str) else "", timeout=self.transfer.timeout).stream.close()
        except Unchanged:
            return True
        except OSError as error:
            raise DatasetError(f"{shown(self.uri)}: cannot be reached: {error}") from error
        return False

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.source.json")


def _noted(note: Path) -> dict[str, object]:
    try:
        noted = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _companion(uri: str, suffix: str) -> str:
    parts = urlsplit(uri)
    return parts._replace(path=parts.path + suffix).geturl()


def _state(path: Path) -> dict[str, object]:
    status = path.stat()
    return {"size": status.st_size, "time": status.st_mtime_ns}


def _check_sums(folder: Path, sums: Path, uri: str) -> None:
    """Compare the files with the list of their MD5 sums; those that it does not name are not compared."""
    for line in sums.read_text("utf-8", "replace").splitlines():
        expected, _, name = line.partition(" ")
        path = folder / Path(name[1:]).name  # after a blank, or the star of a binary file
        if name[1:] and path.is_file() and digest_of(path, "md5") != expected.strip().lower():
            shutil.rmtree(folder)
            raise FormatError(f"{shown(uri)}: {path.name} is not what {sums.name} says; it was thrown away")
