"""Whether a tar file is what its index says: a look at all of it, which reading samples does not take."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from leaven.errors import DatasetError
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.open_file import OpenFile
from leaven_plugins.datasets.tar.index import index_path, read_index, stored_sha256

_CHUNK = 1 << 20


def problems(tar: Path) -> Iterator[Finding]:
    """Yield what is wrong with the index of a tar file, or with the file by its checksum."""
    index = index_path(tar)
    if not tar.exists() or not index.exists():
        return  # there is nothing to compare; what is wrong with the file is told when it is opened
    advice = f"get {tar.name} and {index.name} again; without the index, the file is read as it is"
    try:
        file = OpenFile(tar)
        try:
            read_index(file)
            expected, found = stored_sha256(index), _sha256(file)
        finally:
            file.close()
    except DatasetError as error:
        yield Finding("index", str(error).removeprefix(f"{index}: "), advice, str(index))
        return
    if found != expected:
        yield Finding("checksum", f"its SHA-256 is {found}, but {index.name} says {expected}", advice, str(tar))


def _sha256(file: OpenFile) -> str:
    digest = hashlib.sha256()
    for start in range(0, file.size, _CHUNK):
        digest.update(file.read(min(_CHUNK, file.size - start), start))
    return digest.hexdigest()
