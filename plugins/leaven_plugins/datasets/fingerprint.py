"""The fingerprint of a data file, by which a file beside it knows that it was made for this one."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from leaven.errors import DatasetError

_PROBES, _PROBE = 16, 4096  # of the data file: enough to tell it from another one, and 64 kB to read when it is opened


def fingerprint(data: Path) -> bytes:
    """Return what tells a file from others, and from itself after it was written anew: its size, and samples of it.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        with open(data, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.blake2b(size.to_bytes(8, "little"), digest_size=16)
            for number in range(_PROBES):
                digest.update(os.pread(file.fileno(), _PROBE, max(0, size - _PROBE) * number // (_PROBES - 1)))
    except OSError as error:
        raise DatasetError(f"{data}: cannot be read: {error.strerror}") from error
    return digest.digest()
