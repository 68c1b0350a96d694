"""The file of checksums: what ``md5sum`` prints of the data file and of its index."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.msgpack.files import MD5, beside
from leaven_plugins.datasets.open_file import OpenFile

_LINE = re.compile(r"([0-9a-fA-F]{32}) [ *](.+)")
_BLOCK = 1 << 20


def read_sums(data: Path) -> dict[str, str]:
    """Return file name -> MD5 in lower-case hex digits, of the file beside ``data``; none where there is no such file.

    Raises:
        DatasetError: it cannot be read.
        FormatError: a line is none of ``md5sum``.
    """
    path = beside(data, MD5)
    if not path.exists():
        return {}
    file = OpenFile(path)
    try:
        text = file.content().decode("utf-8", "replace")
    finally:
        file.close()
    sums = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise FormatError(f"{path}, line {number}: not a checksum and a name: {printable(line, 60)!r}")
        sums[match[2]] = match[1].lower()
    return sums


def sum_of(path: Path) -> str:
    """Return the MD5 of a file in hex digits.

    Raises:
        DatasetError: it cannot be opened or read.
    """
    file, md5 = OpenFile(path), hashlib.md5(usedforsecurity=False)
    try:
        for start in range(0, file.size, _BLOCK):
            md5.update(file.read(min(_BLOCK, file.size - start), start))
    finally:
        file.close()
    return md5.hexdigest()


def encode_sums(sums: Mapping[str, str]) -> bytes:
    """Return the content of the file for file name -> MD5."""
    return "".join(f"{md5}  {name}\n" for name, md5 in sums.items()).encode()
