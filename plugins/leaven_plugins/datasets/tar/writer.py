"""Writing a tar file with its index; the same samples are the same bytes."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from tarfile import PAX_FORMAT, TarInfo
from typing import Any, BinaryIO
from urllib.parse import quote

from leaven.errors import DatasetError, FormatError
from leaven_plugins.datasets.archives import leads_out
from leaven_plugins.datasets.incoming import unpacked
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.tar.fields import encode_fields
from leaven_plugins.datasets.tar.index import Group, Part, encode_index, index_path, split_name
from leaven_plugins.datasets.tar.members import KEY
from leaven_plugins.datasets.targets import check_target, disk_errors_named
from leaven_plugins.datasets.unique_keys import UniqueKeys

_BLOCK = 512
_RECORD = 20 * _BLOCK  # tar files are whole records long


def write_tar(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool) -> int:
    """Write samples to a tar file and its index beside it; return how many there were."""
    check_target(path, overwrite)
    if path.name.lower().endswith((".gz", ".tgz")):
        raise DatasetError(f"{path}: compressed tar files cannot be read at random: write NAME.tar")
    index = index_path(path)
    with Staging(path) as staging:
        with disk_errors_named(path):
            file = open(staging.path / path.name, "wb")  # noqa: SIM115 - closed below
        tar = _Tar(file, path)
        try:
            for sample in samples:
                tar.append(sample)
            tar.finish()
        finally:
            with disk_errors_named(path):
                file.close()
        with disk_errors_named(path):
            (staging.path / index.name).write_bytes(encode_index(tar.groups, tar.size, tar.sha256.hexdigest()))
            staging.sync([index.name, path.name])
            check_target(path, overwrite)
            # The tar file goes first and comes last: a new index never lies beside old data.
            path.unlink(missing_ok=True)
            staging.commit([index.name, path.name])
    return len(tar.groups)


class _Tar:
    """A tar file while it is written, with what its index needs."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.groups: list[Group] = []
        self.size = 0
        self.sha256 = hashlib.sha256()
        self._keys = UniqueKeys(path)
        self._file = file
        self._path = path

    def append(self, sample: Mapping[Any, Any] | bytes) -> None:
        number = len(self.groups)
        try:
            fields = unpacked(sample)
            key = self._keys.add(fields)
            members = encode_fields(fields)
        except FormatError as error:
            raise FormatError(f"{self._path}: sample {number}: {error}") from error
        self.groups.append(Group(key, [self._append(key, ending, data) for ending, data in members.items()]))

    def finish(self) -> None:
        self._write(bytes(2 * _BLOCK))
        self._write(bytes(-self.size % _RECORD))

    def _append(self, key: str, ending: str, data: bytes) -> Part:
        stem = _stem(key)
        info = TarInfo(f"{stem}.{ending}")
        info.size = len(data)
        info.pax_headers = {} if stem == key else {KEY: key}
        self._write(info.tobuf(PAX_FORMAT, "utf-8", "strict"))
        part = Part(ending, self.size, len(data), zlib.crc32(data))
        self._write(data)
        self._write(bytes(-len(data) % _BLOCK))
        return part

    def _write(self, data: bytes) -> None:
        with disk_errors_named(self._path):
            self._file.write(data)
        self.sha256.update(data)
        self.size += len(data)


def _stem(key: str) -> str:
    """Return what the names of a sample's members begin with: its key, or where that is no such name, a quoted form."""
    is_name = split_name(f"{key}.x") == (key, "x") and "%" not in key and key.isprintable()
    if is_name and not leads_out(key) and not any(part in ("", ".", "..") for part in key.split("/")):
        return key
    return quote(key, safe="").replace(".", "%2E").replace("_", "%5F") or "%"
