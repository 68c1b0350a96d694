"""Making the index of a data file that is there already: what is missing of it, and its columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgpack

from leaven.errors import DatasetError, FormatError
from leaven.stream.wire import key_of
from leaven_plugins.datasets.msgpack.columns import Columns
from leaven_plugins.datasets.msgpack.files import COLUMNS, FILTER, HASHES, KEYS, LEGACY, MD5, OFFSETS, beside
from leaven_plugins.datasets.msgpack.gathering import FEWEST, Gathered, sample_of
from leaven_plugins.datasets.msgpack.index import open_index
from leaven_plugins.datasets.msgpack.sums import read_sums, sum_of
from leaven_plugins.datasets.open_file import OpenFile, Sequential
from leaven_plugins.datasets.replacing import is_unchanged
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import disk_errors_named

_INDEX = (OFFSETS, KEYS, HASHES, FILTER, MD5)


def complete_index(path: Path) -> list[str]:
    """Write what is missing of the index of a data file, and of its columns; return the names of these files.

    Keys and offsets come from the files that there are, else from the legacy index, which stays; else the data file is
    gone through, message by message.

    Raises:
        DatasetError: a file cannot be read or written, the data are not what their checksum says, two samples have the
            same key, or the file changes meanwhile.
        FormatError: the data file holds something else than samples, or a file of its index is damaged.
    """
    data = OpenFile(path)
    try:
        if _is_complete(path, data.size):
            return []
        gathered = _gathered(path, data)
        _check_sum(path, gathered)
        with Staging(path) as staging, disk_errors_named(path):
            files = gathered.column_files(path, path.name)
            if not _has_index(path):
                legacy = beside(path, LEGACY)
                others = {legacy.name: sum_of(legacy)} if legacy.exists() else {}
                files = {**gathered.index_files(path.name, others), **files}
            for name, content in files.items():
                (staging.path / name).write_bytes(content)
            staging.sync(list(files))
            if not is_unchanged(path, data.status):
                raise DatasetError(f"{path}: has changed meanwhile; run the command again")
            if path.name + COLUMNS not in files:
                beside(path, COLUMNS).unlink(missing_ok=True)  # of other data, or of no use
            staging.commit(list(files))
    finally:
        data.close()
    return list(files)


def _has_index(path: Path) -> bool:
    return all(beside(path, suffix).exists() for suffix in _INDEX)


def _is_complete(path: Path, size: int) -> bool:
    """Return whether there is nothing to do, as far as that can be said without reading all samples."""
    if not _has_index(path):
        return False
    index = open_index(path, size)
    index.close()
    if len(index) < FEWEST:
        return not beside(path, COLUMNS).exists()
    try:
        Columns.check(path, len(index))
    except DatasetError:
        return False
    return True


def _gathered(path: Path, data: OpenFile) -> Gathered:
    gathered = Gathered(path)
    for key, start, end in _spans(path, data):
        message = data.read(end - start, start)
        try:
            gathered.add(key_of(message) if key is None else key, message, sample_of(message))
        except FormatError as error:
            raise FormatError(f"{path}: sample {len(gathered.keys)}, at byte {start}: {error}") from error
    return gathered


def _spans(path: Path, data: OpenFile) -> Iterator[tuple[str | None, int, int]]:
    """Yield key, start and end of each sample; the key is ``None`` where only the sample itself has it."""
    if not (beside(path, LEGACY).exists() or beside(path, OFFSETS).exists() or beside(path, KEYS).exists()):
        for start, end in boundaries(data):
            yield None, start, end
        return
    index = open_index(path, data.size)
    try:
        for position in range(len(index)):
            yield index.key(position), *index.span(position)
    finally:
        index.close()


def boundaries(data: OpenFile) -> Iterator[tuple[int, int]]:
    """Yield start and end of each message in a file of nothing else.

    Raises:
        FormatError: the last one is cut off, or something is no message.
    """
    reader = msgpack.Unpacker(Sequential(data), read_size=1 << 20, max_buffer_size=(1 << 31) - 1)
    start = 0
    while start < data.size:
        try:
            reader.skip()
        except Exception as error:
            reason = "cut off" if isinstance(error, msgpack.OutOfData) else str(error) or type(error).__name__
            raise FormatError(f"{data.path}: no message at byte {start} of {data.size}: {reason}") from error
        yield start, reader.tell()
        start = reader.tell()


def _check_sum(path: Path, gathered: Gathered) -> None:
    expected = read_sums(path).get(path.name, gathered.md5)
    if expected != gathered.md5:
        raise DatasetError(
            f"{path}: its MD5 is {gathered.md5}, but {path.name}{MD5} says {expected}: `leaven data verify {path}` "
            f"tells what is wrong; where the data are as they should be, remove {path.name}{MD5}"
        )
