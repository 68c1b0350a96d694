"""Restart markers of JPEGs, as their headers promise them."""

from __future__ import annotations

from typing import NamedTuple

_SIGNATURE = b"\xff\xd8\xff"
_BARE = (0x01, *range(0xD0, 0xD9))  # TEM, RSTn and SOI have no length
_BASELINE = (0xC0, 0xC1)
_DRI, _SOS, _EOI = 0xDD, 0xDA, 0xD9


class _Frame(NamedTuple):
    mcu_width: int
    width: int


def is_jpeg(data: bytes) -> bool:
    """Return whether these bytes begin as a JPEG does."""
    return data.startswith(_SIGNATURE)


def restart_interval(data: bytes) -> int:
    """Return after how many blocks (MCUs) each restart marker of a baseline JPEG comes, where no segment reaches into
    another row; 0 for everything else.
    """  # noqa: D205 - one sentence on what is returned
    interval, frame, position = 0, None, 2
    while is_jpeg(data) and position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF or marker in _BARE:
            position += 1 if marker == 0xFF else 2
            continue
        start, length = position + 4, int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == _DRI:
            interval = int.from_bytes(data[start : start + 2], "big")
        elif marker in _BASELINE:
            frame = _frame(data[start : position + 2 + length])
        elif marker in (_SOS, _EOI):
            break
        position += 2 + length
    if frame is None or not interval:
        return 0
    row = -(-frame.width // frame.mcu_width)
    return 0 if row % interval else interval


def _frame(segment: bytes) -> _Frame | None:
    if len(segment) < 9 or len(segment) < 6 + 3 * segment[5]:
        return None
    factors = [segment[7 + 3 * component] >> 4 for component in range(segment[5])]
    width = 8 if len(factors) == 1 else 8 * max(factors)
    return _Frame(width, int.from_bytes(segment[3:5], "big")) if width else None
