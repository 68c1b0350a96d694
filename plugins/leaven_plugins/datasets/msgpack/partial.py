"""Reading one number of a packed sample, such as its label, without reading the images before it."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

_WINDOW = 256  # bytes that are read at once: a system call costs as much as some thousand of them
_ENTRY = 64  # bytes that are enough for a short name, and a number or the head of another value
_LENGTHS = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""Bytes of the length of a bin or str, by the byte that it begins with."""

_CODES = zip(range(0xCA, 0xD4), (">f", ">d", ">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q"), strict=True)
_NUMBERS = {lead: Struct(code) for lead, code in _CODES}
_CONSTANTS = {0xC2: False, 0xC3: True}


def find_number(read: Callable[[int, int], bytes], start: int, end: int, name: str) -> int | float | None:
    """Return the number or boolean that a sample has under ``name``: 6 us where unpacking 100 kB takes 13.

    Args:
        read: returns so many bytes from an offset on.
        start: offset of the sample.
        end: that of its end.
        name: of up to 31 bytes.

    Returns:
        ``None`` where it is not found this way, but perhaps by unpacking all: it is something else, or stands behind
        something nested, or the message is damaged.
    """
    try:
        return _find(read, start, end, name.encode())
    except IndexError:  # cut off
        return None


def _find(read: Callable[[int, int], bytes], start: int, end: int, wanted: bytes) -> int | float | None:
    window, at = read(min(_WINDOW, end - start), start), 1
    if not 0x80 <= window[0] <= 0x8F:
        return None
    for _ in range(window[0] & 0x0F):
        if at + _ENTRY > len(window) and start + len(window) < end:
            start, at = start + at, 0
            window = read(max(0, min(_WINDOW, end - start)), start)
        lead = window[at]
        if not 0xA0 <= lead <= 0xBF:
            return None
        value = at + 1 + (lead & 0x1F)
        if window[at + 1 : value] == wanted:
            return _number(window, value)
        size = _size(window, value)
        if size is None:
            return None
        at = value + size
    return None


def _number(window: bytes, at: int) -> int | float | None:
    lead = window[at]
    if lead < 0x80 or lead >= 0xE0:
        return lead if lead < 0x80 else lead - 256
    if lead not in _NUMBERS:
        return _CONSTANTS.get(lead)
    number = _NUMBERS[lead]
    if at + 1 + number.size > len(window):
        return None
    value: int | float = number.unpack_from(window, at + 1)[0]
    return value


def _size(window: bytes, at: int) -> int | None:
    """Return how many bytes a value takes; ``None`` for what is nested."""
    lead = window[at]
    if lead < 0x80 or lead >= 0xE0 or 0xC0 <= lead <= 0xC3:
        return 1
    if 0xA0 <= lead <= 0xBF:
        return 1 + (lead & 0x1F)
    if lead in _LENGTHS:
        return 1 + _LENGTHS[lead] + int.from_bytes(window[at + 1 : at + 1 + _LENGTHS[lead]], "big")
    return 1 + _NUMBERS[lead].size if lead in _NUMBERS else None
