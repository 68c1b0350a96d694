"""Metadata of image files: taking them out, and carrying EXIF over, without touching a pixel."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from struct import error as struct_error
from struct import pack, pack_into, unpack_from
from typing import NamedTuple

from leaven.errors import DecodeError

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"

_EXIF = b"Exif\0\0"
_ICC = b"ICC_PROFILE\0"
_MOST_IN_SEGMENT = 65_533
_PNG_METADATA = (b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME")
_WEBP_METADATA = (b"EXIF", b"XMP ")
_ORIENTATION = 274


def is_webp(data: bytes) -> bool:
    """Return whether these bytes begin as a WebP file does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def holds_metadata(data: bytes) -> bool:
    """Return whether it is of a format from which :func:`stripped` takes metadata out, or that has none."""
    return data.startswith((JPEG, PNG, b"BM", b"GIF8")) or is_webp(data)


def stripped(data: bytes) -> bytes:
    """Return a JPEG, PNG or WebP file without EXIF, XMP, comments and the like; a colour profile stays.

    Raises:
        DecodeError: its header is damaged.
    """
    parts = list(_parts(data))
    kept = [part for part in parts if not part.is_metadata]
    if len(kept) == len(parts):
        return data
    content = b"".join(data[part.start : part.end] for part in kept)
    return _webp(content) if is_webp(data) else content


def exif_of(data: bytes) -> bytes:
    """Return the block of EXIF in a JPEG, PNG or WebP file, from its byte order on; ``b""`` where there is none.

    Raises:
        DecodeError: its header is damaged.
    """
    return next((data[part.exif : part.end - part.tail] for part in _parts(data) if part.exif), b"")


def upright(exif: bytes) -> bytes:
    """Return a block of EXIF that says that the pixels are stored as they are to be seen."""
    changed = bytearray(exif)
    try:
        order = {b"II*\0": "<", b"MM\0*": ">"}[exif[:4]]
        (at,) = unpack_from(order + "I", exif, 4)
        (count,) = unpack_from(order + "H", exif, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            if unpack_from(order + "H", exif, entry) == (_ORIENTATION,):
                pack_into(order + "HIHH", changed, entry + 2, 3, 1, 1, 0)
    except (KeyError, struct_error):  # cameras write broken blocks, which say nothing of the orientation either
        return exif
    return bytes(changed)


def with_exif(data: bytes, exif: bytes) -> bytes:
    """Return a JPEG or PNG file that has no EXIF with this block.

    Raises:
        DecodeError: the block is larger than a JPEG can hold.
    """
    if data.startswith(PNG):
        chunk = b"eXIf" + exif
        return data[:33] + pack(">I", len(exif)) + chunk + pack(">I", zlib.crc32(chunk)) + data[33:]
    if len(_EXIF) + len(exif) > _MOST_IN_SEGMENT:
        raise DecodeError(f"its EXIF has {len(exif)} bytes, more than a JPEG can hold; drop it (exif='drop')")
    at = 4 + unpack_from(">H", data, 4)[0] if data[3] == 0xE0 else 2  # behind what says that it is a JFIF
    return data[:at] + b"\xff\xe1" + pack(">H", 2 + len(_EXIF) + len(exif)) + _EXIF + exif + data[at:]


class _Part(NamedTuple):
    """A stretch of a file; ``exif`` is where a block of EXIF begins in it, 0 where there is none."""

    start: int
    end: int
    is_metadata: bool = False
    exif: int = 0
    tail: int = 0


def _parts(data: bytes) -> Iterator[_Part]:
    walk = _segments if data.startswith(JPEG) else _chunks if data.startswith(PNG) else _riff if is_webp(data) else None
    if walk is None:
        return
    try:
        yield from walk(data)
    except (struct_error, IndexError) as error:
        raise DecodeError(f"image of {len(data)} bytes: its header is damaged, and so are its metadata") from error


def _segments(data: bytes) -> Iterator[_Part]:
    """Yield the start of a JPEG, its segments up to the first scan, and the rest."""
    yield _Part(0, 2)
    at = 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        marker, start = data[at + 1], at
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:  # without a length
            at += 1 if marker == 0xFF else 2
            yield _Part(start, at)
            continue
        at += 2 + unpack_from(">H", data, at + 2)[0]
        content = data[start + 4 : start + 4 + len(_ICC)]
        foreign = marker == 0xE2 and content != _ICC
        is_metadata = foreign or marker in (0xE1, 0xFE, 0xEF) or 0xE3 <= marker <= 0xED
        yield _Part(start, at, is_metadata, start + 10 if marker == 0xE1 and content.startswith(_EXIF) else 0)
    yield _Part(at, len(data))


def _chunks(data: bytes) -> Iterator[_Part]:
    yield _Part(0, 8)
    at = 8
    while at < len(data):
        length, name = unpack_from(">I4s", data, at)
        end = min(at + 12 + length, len(data))
        yield _Part(at, end, name in _PNG_METADATA, at + 8 if name == b"eXIf" else 0, 4)
        at = end


def _riff(data: bytes) -> Iterator[_Part]:
    yield _Part(0, 12)
    at = 12
    while at + 8 <= len(data):
        name, length = unpack_from("<4sI", data, at)
        end = min(at + 8 + length + (length & 1), len(data))
        begin = at + 8 + len(_EXIF) * data.startswith(_EXIF, at + 8)
        yield _Part(at, end, name in _WEBP_METADATA, begin if name == b"EXIF" else 0, length & 1)
        at = end
    if at < len(data):
        yield _Part(at, len(data))


def _webp(content: bytes) -> bytes:
    """Return the file with a head that knows its length, and that there are no metadata."""
    changed = bytearray(content)
    pack_into("<I", changed, 4, len(content) - 8)
    if content[12:16] == b"VP8X":
        changed[20] &= ~0x0C
    return bytes(changed)
