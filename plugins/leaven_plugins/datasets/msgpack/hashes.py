"""The file of key hashes: from a key to the position of its sample, without holding the keys."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError, FormatError
from leaven_plugins.datasets.open_file import OpenFile

_TRIES = 1000


def hash_string(text: str, salt: bytes = b"") -> int:
    """Return the first 8 bytes of BLAKE2s of ``text`` as UTF-8, with up to 8 bytes of salt, as a big-endian integer."""
    return int.from_bytes(hashlib.blake2s(text.encode(), salt=salt).digest()[:8], "big")


class KeyHashes:
    """The hashes of all keys under one salt, and where each of them is."""

    def __init__(self, salt: bytes, hashes: NDArray[np.uint64]) -> None:
        self._salt = salt
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    @classmethod
    def read(cls, path: Path, count: int) -> KeyHashes:
        """Return what a file holds; raises as :func:`read_hashes` does."""
        return cls(*read_hashes(path, count))

    @classmethod
    def of(cls, keys: Collection[str]) -> KeyHashes:
        """Return the hashes of these keys."""
        salt, hashes = salted_hashes(keys)
        return cls(salt, hashes)

    def candidates(self, key: str) -> list[int]:
        """Return the positions whose hash is that of ``key``: at most one, unless the file was made by someone else."""
        wanted = np.uint64(hash_string(key, self._salt))
        first, last = np.searchsorted(self._sorted, wanted, "left"), np.searchsorted(self._sorted, wanted, "right")
        return [int(position) for position in self._order[first:last]]


def read_hashes(path: Path, count: int) -> tuple[bytes, NDArray[np.uint64]]:
    """Return what a file holds: 8 bytes of salt, then ``count`` unsigned 64-bit big-endian integers.

    Raises:
        DatasetError: it cannot be opened.
        FormatError: it is not of that size.
    """
    file = OpenFile(path)
    try:
        if file.size != 8 + 8 * count:
            raise FormatError(f"{path}: {file.size} bytes instead of {8 + 8 * count} for {count} hashes")
        content = file.content()
    finally:
        file.close()
    return content[:8], np.frombuffer(content, ">u8", offset=8).astype(np.uint64)


def first_wrong_hash(path: Path, keys: Iterable[str], count: int) -> int | None:
    """Return the position of the first of ``count`` keys whose hash in a file is not its own; raises as above."""
    salt, hashes = read_hashes(path, count)
    right = np.fromiter((hash_string(key, salt) for key in keys), np.uint64, count)
    wrong = np.flatnonzero(hashes != right)
    return int(wrong[0]) if len(wrong) else None


def salted_hashes(keys: Collection[str]) -> tuple[bytes, NDArray[np.uint64]]:
    """Return the first salt under which the hashes of all keys differ, and these hashes.

    Raises:
        DatasetError: there is no such salt among the first thousand, because two keys are the same.
    """
    for counter in range(_TRIES):
        salt = hashlib.blake2s(str(counter).encode()).digest()[:8]
        hashes = np.fromiter((hash_string(key, salt) for key in keys), np.uint64, len(keys))
        if len(np.unique(hashes)) == len(keys):
            return salt, hashes
    raise DatasetError(f"the hashes of {len(keys)} keys are not unique under any of {_TRIES} salts: are the keys?")


def encode_hashes(keys: Collection[str]) -> bytes:
    """Return the content of the file for these keys."""
    salt, hashes = salted_hashes(keys)
    content: NDArray[Any] = hashes.astype(">u8")
    return salt + content.tobytes()
