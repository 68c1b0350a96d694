"""Parts: what a block leaves in the working folder, a file of packed samples and a manifest that says what is in it."""

from __future__ import annotations

import json
import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from leaven.errors import DatasetError, FormatError
from leaven_plugins.datasets.targets import disk_errors_named

_LENGTH = Struct("<I")


def write_part(folder: Path, block: int, messages: Iterable[bytes], about: Callable[[], Mapping[str, Any]]) -> Any:
    """Write the packed samples of a block, and then its manifest, which is returned.

    Args:
        folder: where to; the names have the block's number in them.
        block: the block.
        messages: its samples.
        about: returns what the manifest is to hold besides, once all samples have been taken.

    Raises:
        DatasetError: a file cannot be written.
    """
    count = nbytes = crc = 0
    data, manifest = _paths(folder, block)
    with disk_errors_named(data), _Whole(data) as file:
        for message in messages:
            record = _LENGTH.pack(len(message)) + message
            file.write(record)
            count, nbytes, crc = count + 1, nbytes + len(record), zlib.crc32(record, crc)
    made = {"block": block, "samples": count, "bytes": nbytes, "crc": crc, **about()}
    with disk_errors_named(manifest), _Whole(manifest) as file:
        file.write(json.dumps(made).encode())
    return made


def manifest_of(folder: Path, block: int) -> Mapping[str, Any] | None:
    """Return the manifest of a block that is complete, or ``None``."""
    data, manifest = _paths(folder, block)
    try:
        found = json.loads(manifest.read_bytes())
        return found if data.stat().st_size == found["bytes"] else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def read_part(folder: Path, manifest: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the packed samples of a block.

    Raises:
        DatasetError: the file cannot be read.
        FormatError: it is not what the manifest says.
    """
    data, crc, count = _paths(folder, manifest["block"])[0], 0, 0
    try:
        with open(data, "rb") as file:
            while head := file.read(_LENGTH.size):
                message = file.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
                crc, count = zlib.crc32(message, zlib.crc32(head, crc)), count + 1
                yield message
    except OSError as error:
        hint = "; do all machines that are at work on it see the same folder?"
        raise DatasetError(f"{data}: cannot be read: {error.strerror}{hint}") from error
    if (crc, count) != (manifest["crc"], manifest["samples"]):
        raise FormatError(f"{data}: is not what was written; delete {folder}, and run it again")


class _Whole:
    """Context with a new file, which takes its name once all of it is on the disk.

    Its name until then is one of its own: two processes may be at the same block.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> BinaryIO:
        descriptor, self._part = tempfile.mkstemp(".part", f".{self._path.name}.", self._path.parent)
        self._file = os.fdopen(descriptor, "wb")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            with self._file:
                if kind is None:
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if kind is None:
                os.replace(self._part, self._path)
        finally:
            Path(self._part).unlink(missing_ok=True)


def _paths(folder: Path, block: int) -> tuple[Path, Path]:
    return folder / f"{block:08d}.samples", folder / f"{block:08d}.json"
