"""The members of a tar file: their heads, one after the other, in the dialects of POSIX (ustar, pax) and GNU.

Only regular files are let through. Python's ``tarfile`` is not used for reading: there are known ways of making it
loop, or allocate what a head declares, a file that is cut off is to it a shorter one, and it takes 1.5 times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.archives import leads_out
from leaven_plugins.datasets.open_file import OpenFile

KEY = "SCHILY.xattr.user.leaven.key"
"""The record of a pax head that has the key of a sample, where no name of a file can be it.

It is an attribute of the file, since GNU tar warns of records under other names.
"""

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_LONGEST = 1 << 20  # bytes of a head's records: paths have 4 kB at most, but there may be further attributes
_OTHERS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}
_PACKED = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


class Member(NamedTuple):
    """A regular file: its name, where its bytes are, and the key of its sample where its head says so."""

    name: str
    offset: int
    size: int
    key: str | None


class _Head(NamedTuple):
    kind: bytes
    name: bytes
    size: int


def read_members(file: OpenFile) -> Iterator[Member]:
    """Yield the regular files in a tar file, in its order.

    Raises:
        FormatError: it is compressed, damaged or cut off; or it has something else than files and folders, or names
            that lead out of it.
    """
    _check_plain(file)
    position, records = 0, dict[str, str]()
    while (block := _block(file, position)) != _ZEROS:
        head = _head(file, block, position)
        size = _size(file, records.get("size"), head.size, position)
        if head.kind in b"xgLK":
            records = _further(file, head, position, records)
        else:
            name = records.get("path") or _text(file, head.name, position)
            if _is_file(file, head, name, records, position):
                yield Member(name, position + _BLOCK, size, records.get(KEY))
            records = {}
        position += _BLOCK + -(-size // _BLOCK) * _BLOCK
    _check_rest(file, position)


def _check_plain(file: OpenFile) -> None:
    start = file.read(min(8, file.size), 0)
    for magic, name in _PACKED.items():
        if start.startswith(magic):
            raise FormatError(
                f"{file.path}: is compressed by {name}, so samples cannot be read at random: decompress it, images get "
                "no smaller by that"
            )


def _block(file: OpenFile, position: int) -> bytes:
    if position + _BLOCK > file.size:
        raise FormatError(f"{file.path}: ends at {file.size} without the mark of an end: cut off, or not a tar file")
    return file.read(_BLOCK, position)


def _head(file: OpenFile, block: bytes, position: int) -> _Head:
    checksum = sum(block) - sum(block[148:156]) + 8 * 32
    if _number(block[148:156]) != checksum:
        raise _damaged(file, position, "is no head of a member: damaged, or not a tar file")
    name = block[:100].split(b"\0", 1)[0]
    if block[257:263] == b"ustar\0" and block[345]:
        name = block[345:500].split(b"\0", 1)[0] + b"/" + name
    return _Head(block[156:157], name, _number(block[124:136]))


def _number(field: bytes) -> int:
    """Return a number in octal digits, or in binary where its first byte says so; -1 for anything else."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0") or b"0"
    return int(digits, 8) if set(digits) <= set(b"01234567") else -1


def _size(file: OpenFile, record: str | None, size: int, position: int) -> int:
    """Return how many bytes follow a head; that is checked against the size of the file."""
    if record is not None:
        size = int(record) if record.isascii() and record.isdigit() and len(record) < 20 else -1
    if size < 0 or position + _BLOCK + size > file.size:
        raise _damaged(file, position, f"promises {size} bytes in a file of {file.size}: cut off or damaged")
    return size


def _further(file: OpenFile, head: _Head, position: int, records: dict[str, str]) -> dict[str, str]:
    """Return what is known of the next member, with what the head of a head adds."""
    if head.size > _LONGEST:
        raise _damaged(file, position, f"has {head.size} bytes of attributes, {_LONGEST} are allowed")
    content = file.read(head.size, position + _BLOCK)
    if head.kind == b"L":
        return {**records, "path": _text(file, content.split(b"\0", 1)[0], position)}
    return {**records, **_pax(file, content, position)} if head.kind == b"x" else records


def _pax(file: OpenFile, content: bytes, position: int) -> dict[str, str]:
    """Return the records ``LENGTH NAME=VALUE`` of a pax head."""
    found, start = {}, 0
    while start < len(content):
        space = content.find(b" ", start, start + 8)
        digits = content[start:space]
        end = start + int(digits) if space > 0 and digits.isdigit() else 0
        if not space < end <= len(content) or content[end - 1 : end] != b"\n":
            raise _damaged(file, position, "has malformed attributes")
        name, _, value = content[space + 1 : end - 1].partition(b"=")
        found[_text(file, name, position)] = _text(file, value, position)
        start = end
    return found


def _is_file(file: OpenFile, head: _Head, name: str, records: dict[str, str], position: int) -> bool:
    """Return whether a member is a regular file, and no folder."""
    if leads_out(name):
        raise _damaged(file, position, f"is called {printable(name)!r}, which leads out of the archive")
    if head.kind == b"5" or (head.kind in b"0\0" and name.endswith("/")):
        return False
    kind = "a sparse file" if any(key.startswith("GNU.sparse.") for key in records) else _OTHERS.get(head.kind)
    if kind or head.kind not in (b"0", b"\0", b"7"):
        what = kind or f"of type {printable(head.kind.decode('latin-1'))!r}"
        raise _damaged(file, position, f"{printable(name)!r} is {what}: only files are read")
    return True


def _check_rest(file: OpenFile, position: int) -> None:
    """Raise a ``FormatError`` where anything follows the end: files that were appended, which would be lost."""
    while position < file.size:
        piece = file.read(min(1 << 20, file.size - position), position)
        if piece.strip(b"\0"):
            raise _damaged(file, position, "comes after the mark of the end: two archives in one file?")
        position += len(piece)


def _text(file: OpenFile, name: bytes, position: int) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as error:
        raise _damaged(file, position, f"has a name that is not UTF-8: {printable(repr(name), 80)}") from error


def _damaged(file: OpenFile, position: int, text: str) -> FormatError:
    return FormatError(f"{file.path}: the member at byte {position} {text}")
