"""Snapshots on the disk: a folder that is complete or is not there.

::

    snapshots/epoch_0003/
        model.pt, optimizer.pt, ...   one file for each part: tensors and plain data
        about.json                    epoch, iteration, values, versions, configuration, ...
        manifest.json                 size and sha256 of each of these

Everything is written into a folder beside it and brought to the disk before the folder gets its name. Tensor files are
read with ``weights_only=True``: reading a snapshot runs nothing that is in it.

Folders of format 1 (model.pt, optimizer.pt, trainer.json) are read as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from leaven.errors import listing, suggestion
from leaven_plugins.snapshots.errors import SnapshotError as SnapshotError
from leaven_plugins.snapshots.manifest import (
    ABOUT,
    MANIFEST,
    Manifest,
    load_about,
    others_in,
    read_manifest,
    verify_parts,
)
from leaven_plugins.snapshots.manifest import verify_snapshot as verify_snapshot
from leaven_plugins.snapshots.placing import beside, put_in_place, remove_folder, sweep, sync_folder
from leaven_plugins.snapshots.plain import jsonable, place_of, portable, tensors_in

FORMAT = 2
_PART = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PER_FILE = 64 << 10  # bytes of names and padding in a file, more or less
_PER_TENSOR = 512


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot holds.

    Attributes:
        parts: name -> tensors and plain data: ``model``, ``optimizer``, ``average``, ``random``, ``loader``, ...
        about: what it is of, as JSON keeps it: ``epoch``, ``iteration``, ``values``, ``versions``, ``config``, ...
    """

    parts: Mapping[str, Any]
    about: Mapping[str, Any]


def save_snapshot(folder: str | os.PathLike[str], snapshot: Snapshot) -> Path:
    """Write ``snapshot`` to ``folder``; one that is already there is replaced once the new one is complete.

    What was there before is untouched until then, whatever happens: an error, Ctrl-C, ``SIGKILL``, a power cut. What
    writers that are dead now have left beside it is deleted.

    Returns:
        The folder.

    Raises:
        SnapshotError: the snapshot holds more than tensors and plain data, there is something at ``folder`` that is no
            snapshot, the disk is too full (the text says how much space it takes and how much there is), or it cannot
            be written for another reason.
    """
    folder = Path(folder)
    if folder.name in ("", ".."):
        raise SnapshotError(f"{str(folder)!r}: expected a name for the snapshot's folder")
    for name in snapshot.parts:
        if not _PART.fullmatch(name):
            raise SnapshotError(
                f"{folder}: a part {name!r}: its name becomes that of a file; use letters, digits and _"
            )
    parts = {name: portable(value, name) for name, value in snapshot.parts.items()}
    about = json.dumps(jsonable(snapshot.about, "about"), indent=1).encode()
    needed = len(about) + sum(map(_estimate, parts.values()))
    _write(folder, parts, about, needed)
    return folder


def load_snapshot(folder: str | os.PathLike[str], only: Collection[str] | None = None) -> Snapshot:
    """Read and verify a snapshot.

    Args:
        folder: the snapshot's folder.
        only: names of the parts that are wanted; the others are neither read nor verified. ``None`` for all.

    Raises:
        SnapshotError: a file is missing, torn or changed, holds more than tensors and plain data, or there is no part
            of that name.
    """
    path = Path(folder)
    manifest = read_manifest(path)
    wanted = manifest.parts if only is None else _known(path, manifest, only)
    verify_parts(path, manifest, wanted)
    parts = {name: _load_tensors(path / f"{name}.pt") for name in wanted}
    return Snapshot(parts, load_about(path, manifest))


def remove_snapshot(folder: Path) -> None:
    """Delete a snapshot, unless something else lies in its folder."""
    with suppress(FileNotFoundError):  # another process was faster
        if not others_in(folder):
            remove_folder(folder)


def _check_place(folder: Path) -> None:
    """Raise an error where there is something that a snapshot must not take the place of."""
    if not folder.exists() or _is_snapshot(folder):
        return
    others = others_in(folder) if folder.is_dir() else ["a file"]
    if others:
        raise SnapshotError(
            f"{folder}: there is something else than a snapshot ({listing(others)}), which would be lost; "
            "give each snapshot a folder of its own"
        )


def _is_snapshot(folder: Path) -> bool:
    try:
        read_manifest(folder)
    except SnapshotError:
        return False
    return True


def _known(path: Path, manifest: Manifest, only: Collection[str]) -> list[str]:
    for name in only:
        if name not in manifest.parts:
            near = suggestion(name, manifest.parts)
            raise SnapshotError(f"{path}: no part {name!r}{near}; the snapshot has: {listing(manifest.parts)}")
    return list(only)


def _write(folder: Path, parts: Mapping[str, Any], about: bytes, needed: int) -> None:
    temporary = beside(folder, "tmp")
    try:
        _check_place(folder)
        temporary.mkdir(parents=True)
        sweep(folder.parent, now=temporary.stat().st_mtime)
        _check_space(temporary, needed)
        files = {f"{name}.pt": _write_tensors(temporary / f"{name}.pt", part) for name, part in parts.items()}
        files[ABOUT[FORMAT]] = _write_bytes(temporary / ABOUT[FORMAT], about)
        manifest = json.dumps({"format": FORMAT, "files": files}, indent=1)
        _write_bytes(temporary / MANIFEST, manifest.encode())
        sync_folder(temporary)
        put_in_place(temporary, folder)
    except (OSError, RuntimeError) as error:
        if _is_interrupt(error):
            raise KeyboardInterrupt from error
        if temporary.is_dir():
            _check_space(temporary, needed)
        raise SnapshotError(f"{folder}: the snapshot cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_space(temporary: Path, needed: int) -> None:
    """Raise an error where the disk has no room for what is not written yet."""
    written = sum(file.stat().st_size for file in temporary.iterdir())
    free = shutil.disk_usage(temporary).free + written
    if free < needed:
        room = f"the snapshot needs about {needed / 1e6:,.1f} MB, and the disk has {free / 1e6:,.1f} MB"
        raise SnapshotError(f"{temporary.parent}: no space: {room}; delete something, or keep fewer snapshots")


def _estimate(part: Any) -> int:
    """Return how many bytes the file of a part will have, more or less."""
    tensors = {place_of(tensor): tensor for tensor in tensors_in(part) if tensor.layout is torch.strided}
    return _PER_FILE + sum(tensor.numel() * tensor.element_size() + _PER_TENSOR for tensor in tensors.values())


def _is_interrupt(error: BaseException | None) -> bool:
    """Return whether an error is what torch made of a Ctrl-C, which left its file unfinished."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _write_tensors(path: Path, content: Any) -> dict[str, Any]:
    # torch writes the file itself: a Ctrl-C within a Python file's write() becomes torch's RuntimeError, or an abort
    torch.save(content, str(path))
    return _synced(path)


def _write_bytes(path: Path, content: bytes) -> dict[str, Any]:
    path.write_bytes(content)
    return _synced(path)


def _synced(path: Path) -> dict[str, Any]:
    """Bring a file to the disk; return its size and checksum."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": file.tell(), "sha256": digest}


def _load_tensors(path: Path) -> Any:
    try:
        _check_content(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises errors of many types for bytes that are not its own
        reason = str(error).rpartition("WeightsUnpickler error:")[2].strip().partition("\n")[0]  # without its advice
        raise SnapshotError(f"{path}: holds more than tensors and plain data, or is damaged: {reason}") from error


def _check_content(path: Path) -> None:
    """Raise an error for a file that takes far more memory than it has bytes: torch compresses nothing."""
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
            raise ValueError("its content is larger than the file")
