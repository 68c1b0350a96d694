"""Whether a file is the one that was meant."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from io import BufferedReader
from pathlib import Path

from leaven.errors import DatasetError, DeclarationError, FormatError

WRONG = ".wrong"
"""What is appended to the name of a file that is put aside."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def open_plain(path: Path | str) -> BufferedReader:
    """Open a file to read it; what is none, such as a pipe that nobody writes to, is an ``OSError``."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return open(path, "rb")


def digest_of(path: Path, name: str = "sha256") -> str:
    """Return the digest of a file, in lower-case hexadecimal.

    Raises:
        DatasetError: it cannot be read.
    """
    try:
        with open_plain(path) as file:
            return hashlib.file_digest(file, lambda: hashlib.new(name, usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error


def verified(path: Path, sha256: str | None, advice: str = "") -> str:
    """Return the SHA-256 of a file.

    Args:
        path: the file.
        sha256: what it should be; ``None`` for anything.
        advice: what follows in the text of the error.

    Raises:
        FormatError: it is another one.
        DatasetError: the file cannot be read.
    """
    found = digest_of(path)
    if sha256 is not None and found != sha256.lower():
        raise FormatError(mismatch(path, sha256, found) + advice)
    return found


def mismatch(path: Path | str, expected: str, found: str) -> str:
    """Return the text on a file that is not what it should be."""
    return f"{path}: is not the file that was expected: its SHA-256 is {found}, not {expected.lower()}"


def put_aside(path: Path) -> Path:
    """Give a file that is not the right one another name, and return that."""
    aside = path.with_name(f"{path.name}{WRONG}")
    try:
        os.replace(path, aside)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be put aside: {error.strerror}") from error
    return aside


def check_declared(filename: str, sha256: str | None) -> None:
    """Raise a :class:`~leaven.errors.DeclarationError` for a name with a folder in it, or a digest that is none."""
    if not filename or filename.startswith(".") or Path(filename).name != filename or "\0" in filename:
        raise DeclarationError(f"{filename!r} is not the plain name of a file")
    if sha256 is not None and not is_sha256(sha256):
        raise DeclarationError(f"{filename}: a SHA-256 has 64 hexadecimal digits: {sha256!r}")


def is_sha256(text: str) -> bool:
    """Return whether it is written as a SHA-256 is, in hexadecimal."""
    return _SHA256.fullmatch(text.lower()) is not None
