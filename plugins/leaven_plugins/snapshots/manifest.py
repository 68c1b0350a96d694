"""The manifest of a snapshot: which files belong to it, with their sizes and checksums."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leaven.errors import listing
from leaven_plugins.snapshots.errors import SnapshotError

MANIFEST = "manifest.json"
ABOUT = {1: "trainer.json", 2: "about.json"}
"""Format -> the file that says what the snapshot is of."""

_FILE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\.(pt|json)")


@dataclass(frozen=True)
class Manifest:
    """What a snapshot's manifest lists.

    Attributes:
        format: number of the format.
        files: name -> (size in bytes, sha256).
    """

    format: int
    files: Mapping[str, tuple[int, str]]

    @property
    def parts(self) -> list[str]:
        """The names of the parts."""
        return [name.removesuffix(".pt") for name in self.files if name.endswith(".pt")]

    @property
    def about(self) -> str:
        """The name of the file with what the snapshot is of."""
        return ABOUT[self.format]


def verify_snapshot(folder: str | os.PathLike[str]) -> Manifest:
    """Read all of a snapshot's files, compare them with its manifest, and return that.

    Raises:
        SnapshotError: a file is missing, torn or changed.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    verify_parts(path, manifest, manifest.parts)
    return manifest


def read_about(folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Return what a snapshot is of. Of its other files only the sizes are looked at, so that this is fast.

    Raises:
        SnapshotError: a file is missing or torn.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    for name, (size, _) in manifest.files.items():
        _verify_size(path / name, size)
    verify_parts(path, manifest, [])
    return load_about(path, manifest)


def read_manifest(path: Path) -> Manifest:
    """Return a snapshot's manifest; whether the files are as it says is not looked at.

    Raises:
        SnapshotError: there is none, it cannot be read, or it lists no snapshot of a format that is known.
    """
    place = path / MANIFEST
    try:
        _check_regular(place)
        table = json.loads(place.read_text("utf-8"))
        files = {str(name): (int(entry["bytes"]), str(entry["sha256"])) for name, entry in table["files"].items()}
        manifest = Manifest(int(table.get("format", 1)), files)
    except FileNotFoundError:
        raise SnapshotError(f"{path}: no snapshot: there is no {MANIFEST}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise SnapshotError(f"{place}: the manifest cannot be read: {error}") from error
    _check_manifest(place, manifest)
    return manifest


def verify_parts(path: Path, manifest: Manifest, parts: Collection[str]) -> None:
    """Compare the files of some parts, and what the snapshot is of, with its manifest.

    Raises:
        SnapshotError: a file is missing, torn or changed.
    """
    for name in (*(f"{part}.pt" for part in parts), manifest.about):
        _verify_file(path / name, *manifest.files[name])


def _verify_file(path: Path, size: int, digest: str) -> None:
    _verify_size(path, size)
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise SnapshotError(f"{path}: the content is not what was written (sha256 differs)")
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read: {error.strerror or error}") from error


def _verify_size(path: Path, size: int) -> None:
    try:
        found = _check_regular(path).st_size
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read: {error.strerror or error}") from error
    if found != size:
        raise SnapshotError(f"{path}: {found} bytes where the manifest says {size}: the file is torn")


def load_about(path: Path, manifest: Manifest) -> dict[str, Any]:
    """Return what a snapshot is of, in the form of the newest format.

    Raises:
        SnapshotError: the file cannot be read, or is no JSON object.
    """
    place = path / manifest.about
    try:
        about = dict(json.loads(place.read_text("utf-8")).items())
        return about | about.pop("about", {}) if manifest.format == 1 else about
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotError(f"{place}: cannot be read: {error}") from error


def others_in(path: Path) -> list[str]:
    """Return the names of what lies in a folder and is no file of a snapshot."""
    return sorted(entry.name for entry in os.scandir(path) if not (_FILE.fullmatch(entry.name) and entry.is_file()))


def _check_regular(path: Path) -> os.stat_result:
    """Return a file's status; raise an error for what is none: reading a pipe or a device may never end."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise SnapshotError(f"{path}: not a regular file")
    return found


def _check_manifest(place: Path, manifest: Manifest) -> None:
    if manifest.format not in ABOUT:
        raise SnapshotError(
            f"{place}: format {manifest.format}; this version of leaven reads {listing(map(str, ABOUT))}"
        )
    needed = ["model.pt", "optimizer.pt"] if manifest.format == 1 else []
    for name in (*needed, manifest.about):
        if name not in manifest.files:
            raise SnapshotError(f"{place}: {name} is not listed")
    for name in manifest.files:
        if not _FILE.fullmatch(name):
            raise SnapshotError(f"{place}: {name!r} is not the name of a file of a snapshot")
