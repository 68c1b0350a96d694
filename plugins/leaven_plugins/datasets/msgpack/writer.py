"""Writing a dataset: samples one by one, then its index, then all the names at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leaven.errors import FormatError, printable
from leaven.stream.wire import key_of, pack_sample
from leaven_plugins.datasets.incoming import unpacked
from leaven_plugins.datasets.jpeg_index import packed_sidecar
from leaven_plugins.datasets.msgpack.files import COLUMNS, LEGACY, beside
from leaven_plugins.datasets.msgpack.gathering import Gathered, sample_of
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import check_target, disk_errors_named

_BUFFER = 1 << 20  # written in large pieces, 90 kB are read from the page cache in 8 us, in small ones in 12


def write_samples(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool) -> int:
    """Write samples and their index to ``path`` and beside it; return how many there were."""
    check_target(path, overwrite)
    with Staging(path) as staging:
        data = staging.path / path.name
        gathered = _write_data(data, samples, path)
        with disk_errors_named(path):
            files = {**gathered.index_files(path.name, {}), **gathered.column_files(data, path.name)}
            for name, content in files.items():
                (staging.path / name).write_bytes(content)
            names = [*files, path.name]
            staging.sync(names)
            check_target(path, overwrite)
            # The data file goes first and comes last: a new index never lies beside old data.
            path.unlink(missing_ok=True)
            for former in (packed_sidecar(path), beside(path, COLUMNS), beside(path, LEGACY)):
                former.unlink(missing_ok=True)
            staging.commit(names)
    return len(gathered.keys)


def _write_data(file: Path, samples: Iterable[Mapping[Any, Any] | bytes], path: Path) -> Gathered:
    """Write the data file, which becomes that at ``path``; return what its index is made of."""
    gathered = Gathered(path)
    with disk_errors_named(path):
        data = open(file, "wb", buffering=_BUFFER)  # noqa: SIM115 - a full disk is told by closing, too, and not to the samples' source
    try:
        for position, sample in enumerate(samples):
            key, message = _packed(sample, position, path)
            gathered.add(key, message, sample_of(message) if isinstance(sample, bytes) else sample)
            with disk_errors_named(path):
                data.write(message)
    finally:
        with disk_errors_named(path):
            data.close()
    return gathered


def _packed(sample: Mapping[Any, Any] | bytes, position: int, path: Path) -> tuple[str, bytes]:
    try:
        if isinstance(sample, bytes):
            return key_of(sample), sample
        key = unpacked(sample).get("key")
        if not isinstance(key, str):
            raise FormatError(f"its 'key' is {type(key).__name__} {printable(repr(key), 60)} instead of a string")
        return key, pack_sample(sample)
    except FormatError as error:
        raise FormatError(f"{path}: sample {position}: {error}") from error
