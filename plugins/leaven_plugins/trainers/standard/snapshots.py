"""Snapshots: a folder with weights, optimizer and position, which is complete or is not there.

::

    snapshots/epoch_0003/
        model.pt        the network's tensors
        optimizer.pt    the optimizer's tensors and numbers
        trainer.json    epoch, iteration, values, and what the run wanted to be kept
        manifest.json   size and sha256 of each of these

Everything is written into a folder beside it and brought to the disk before the folder gets its name. Tensor files hold
tensors and plain data only, and are read with ``weights_only=True``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from leaven.errors import LeavenError

FORMAT = 1
_MANIFEST = "manifest.json"
_NAME = re.compile(r"epoch_(\d+)")


class SnapshotError(LeavenError):
    """A snapshot cannot be written, or is not what its manifest says; the text names the file."""


@dataclass(frozen=True)
class Snapshot:
    """What a snapshot holds: two state dicts on the CPU, and plain data."""

    model: dict[str, Any]
    optimizer: dict[str, Any]
    trainer: dict[str, Any]


def save_snapshot(folder: Path, snapshot: Snapshot) -> Path:
    """Write ``snapshot`` to ``folder``; one that is already there is replaced once the new one is complete.

    Raises:
        SnapshotError: it cannot be written. What was there before is untouched.
    """
    temporary = folder.with_name(f"{folder.name}.tmp-{secrets.token_hex(4)}")
    try:
        temporary.mkdir(parents=True)
        files = {
            "model.pt": _write_tensors(temporary / "model.pt", snapshot.model),
            "optimizer.pt": _write_tensors(temporary / "optimizer.pt", snapshot.optimizer),
            "trainer.json": _write_json(temporary / "trainer.json", snapshot.trainer),
        }
        _write_json(temporary / _MANIFEST, {"format": FORMAT, "files": files})
        _sync_folder(temporary)
        _put_in_place(temporary, folder)
        _sync_folder(folder.parent)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        if _interrupted(error):
            raise KeyboardInterrupt from error
        raise SnapshotError(f"{folder}: the snapshot cannot be written: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def load_snapshot(folder: str | os.PathLike[str]) -> Snapshot:
    """Read and verify a snapshot.

    Raises:
        SnapshotError: a file is missing, torn or changed, or holds more than tensors and plain data.
    """
    path = Path(folder)
    _verify(path)
    return Snapshot(
        _load_tensors(path / "model.pt"),
        _load_tensors(path / "optimizer.pt"),
        json.loads((path / "trainer.json").read_text("utf-8")),
    )


def latest_snapshot(folder: Path) -> Path:
    """Return the last complete snapshot within ``folder``; torn ones are passed over.

    Raises:
        SnapshotError: there is none; the text says what is wrong with those that are there.
    """
    numbered = {int(match[1]): path for path in folder.glob("epoch_*") if (match := _NAME.fullmatch(path.name))}
    problems = []
    for _, path in sorted(numbered.items(), reverse=True):
        try:
            _verify(path)
        except SnapshotError as error:
            problems.append(str(error))
        else:
            return path
    raise SnapshotError("; ".join([f"{folder}: no complete snapshot (a folder like epoch_0001)", *problems]))


def _interrupted(error: BaseException | None) -> bool:
    """Return whether an error is what torch made of a Ctrl-C, which left its file unfinished."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _write_tensors(path: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    # torch writes the file itself: a Ctrl-C within a Python file's write() becomes torch's RuntimeError, or an abort
    torch.save(content, str(path))
    return _synced(path)


def _write_json(path: Path, content: Mapping[str, Any]) -> dict[str, Any]:
    path.write_text(json.dumps(content, indent=1), "utf-8")
    return _synced(path)


def _synced(path: Path) -> dict[str, Any]:
    """Bring a file to the disk; return its size and checksum."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": file.tell(), "sha256": digest}


def _put_in_place(temporary: Path, folder: Path) -> None:
    if not folder.exists():
        temporary.rename(folder)
        return
    old = temporary.with_name(temporary.name.replace(".tmp-", ".old-"))
    folder.rename(old)
    temporary.rename(folder)
    shutil.rmtree(old)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _verify(path: Path) -> None:
    manifest = path / _MANIFEST
    try:
        files = json.loads(manifest.read_text("utf-8"))["files"]
        listed = {str(name): (int(entry["bytes"]), str(entry["sha256"])) for name, entry in files.items()}
    except FileNotFoundError:
        raise SnapshotError(f"{path}: no snapshot: there is no {_MANIFEST}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SnapshotError(f"{manifest}: the manifest cannot be read: {error}") from error
    for name in ("model.pt", "optimizer.pt", "trainer.json"):
        if name not in listed:
            raise SnapshotError(f"{manifest}: {name} is not listed")
        _verify_file(path / name, *listed[name])


def _verify_file(path: Path, size: int, digest: str) -> None:
    try:
        found = path.stat().st_size
        if found != size:
            raise SnapshotError(f"{path}: {found} bytes where the manifest says {size}: the file is torn")
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise SnapshotError(f"{path}: the content is not what was written (sha256 differs)")
    except OSError as error:
        raise SnapshotError(f"{path}: cannot be read: {error.strerror or error}") from error


def _load_tensors(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises errors of many types for bytes that are not its own
        raise SnapshotError(f"{path}: holds more than tensors and plain data, or is damaged: {error}") from error
    return content
