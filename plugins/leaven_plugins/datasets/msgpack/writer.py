"""Writing a dataset: samples one by one, then its index, then all the names at once."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError, FormatError, printable
from leaven.stream.wire import key_of, pack_sample
from leaven_plugins.datasets.jpeg_index import packed_sidecar
from leaven_plugins.datasets.msgpack.bloom import BloomFilter
from leaven_plugins.datasets.msgpack.files import FILTER, HASHES, KEYS, MD5, OFFSETS
from leaven_plugins.datasets.msgpack.hashes import encode_hashes
from leaven_plugins.datasets.msgpack.keys import encode_keys
from leaven_plugins.datasets.msgpack.offsets import encode_offsets
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import check_target, disk_errors_named


def write_samples(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool) -> int:
    """Write samples and their index to ``path`` and beside it; return how many there were."""
    check_target(path, overwrite)
    with Staging(path) as staging:
        data = _Data(staging.path / path.name, path)
        try:
            for position, sample in enumerate(samples):
                data.append(*_packed(sample, position, path))
        finally:
            data.close()
        with disk_errors_named(path):
            names = [*_write_index(staging.path, path.name, data), path.name]
            staging.sync(names)
            check_target(path, overwrite)
            # The data file goes first and comes last: a new index never lies beside old data.
            path.unlink(missing_ok=True)
            packed_sidecar(path).unlink(missing_ok=True)
            staging.commit(names)
    return len(data.keys)


class _Data:
    """The data file while it is written, with what its index needs: ``keys``, ``offsets`` and ``md5``."""

    def __init__(self, file: Path, path: Path) -> None:
        self.keys: dict[str, int] = {}
        self.offsets = array("Q", [0])
        self.md5 = hashlib.md5(usedforsecurity=False)
        self._path = path
        with disk_errors_named(path):
            self._file = open(file, "wb")  # noqa: SIM115 - closed by close()

    def append(self, key: str, message: bytes) -> None:
        position = len(self.keys)
        known = self.keys.setdefault(key, position)
        if known != position:
            raise DatasetError(f"{self._path}: samples {known} and {position} have the same key {printable(key)!r}")
        with disk_errors_named(self._path):
            self._file.write(message)
        self.md5.update(message)
        self.offsets.append(self.offsets[-1] + len(message))

    def close(self) -> None:
        with disk_errors_named(self._path):
            self._file.close()


def _write_index(folder: Path, name: str, data: _Data) -> list[str]:
    """Write the files of the index; return their names."""
    contents = {
        name + OFFSETS: encode_offsets(data.offsets),
        name + KEYS: encode_keys(list(data.keys)),
        name + HASHES: encode_hashes(data.keys),
        name + FILTER: BloomFilter.of(data.keys).content,
    }
    sums = {name: data.md5} | {file: hashlib.md5(content, usedforsecurity=False) for file, content in contents.items()}
    contents[name + MD5] = "".join(f"{md5.hexdigest()}  {file}\n" for file, md5 in sums.items()).encode()
    for file, content in contents.items():
        (folder / file).write_bytes(content)
    return list(contents)


def _packed(sample: Mapping[Any, Any] | bytes, position: int, path: Path) -> tuple[str, bytes]:
    try:
        if isinstance(sample, bytes):
            return key_of(sample), sample
        key = sample.get("key")
        if not isinstance(key, str):
            raise FormatError(f"its 'key' is {type(key).__name__} {printable(repr(key), 60)} instead of a string")
        return key, pack_sample(sample)
    except FormatError as error:
        raise FormatError(f"{path}: sample {position}: {error}") from error
