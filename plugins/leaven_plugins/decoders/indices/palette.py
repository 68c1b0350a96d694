"""Palettes: PNG files whose pixels are numbers of colours, rewritten so that any decoder returns these numbers."""

from __future__ import annotations

from collections.abc import Iterator
from struct import error as struct_error
from struct import pack, unpack_from
from typing import NamedTuple
from zlib import crc32

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _PALETTE = 0, 3
_DEPTH, _COLOR_TYPE = 8, 9  # offsets within IHDR
_KEPT = (b"IDAT", b"eXIf", b"IEND")  # others speak of colours


class Numbers(NamedTuple):
    """A grey PNG file, whose values are ``step`` times the numbers."""

    data: bytes
    step: int


def has_palette(data: bytes) -> bool:
    """Return whether this is a PNG file with a palette."""
    return data.startswith(_SIGNATURE) and data[12:16] == b"IHDR" and data[25:26] == bytes([_PALETTE])


def as_numbers(data: bytes) -> Numbers:
    """Return a PNG file with a palette as one in grey.

    Pixels of both are stored in the same way: only the header says what they mean. Grey of less than 8 bits is spread
    over 0 to 255 by decoders.

    Raises:
        ValueError: it is cut off or damaged between its parts.
    """
    parts = [_SIGNATURE]
    step = 1
    for name, content in _chunks(data):
        if name == b"IHDR":
            depth = content[_DEPTH]
            if depth not in (1, 2, 4, 8):
                raise ValueError(f"a palette of {depth} bits")
            step = 255 // ((1 << depth) - 1)
            content = content[:_COLOR_TYPE] + bytes([_GREY]) + content[_COLOR_TYPE + 1 :]
            parts.append(_chunk(name, content))
        elif name in _KEPT:
            parts.append(_chunk(name, content))
    return Numbers(b"".join(parts), step)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    name = b""
    while name != b"IEND":
        try:
            length, name = unpack_from(">I4s", data, at)
            (check,) = unpack_from(">I", data, at + 8 + length)
        except struct_error as error:
            raise ValueError(f"it is cut off after {len(data)} bytes") from error
        content = data[at + 8 : at + 8 + length]
        if crc32(name + content) != check:
            raise ValueError(f"its part {name.decode('latin-1')!r} is damaged")
        yield name, content
        at += 12 + length


def _chunk(name: bytes, content: bytes) -> bytes:
    return pack(">I", len(content)) + name + content + pack(">I", crc32(name + content))
