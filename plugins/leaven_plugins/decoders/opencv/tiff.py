"""TIFF structures: the first directory of a TIFF file, or of a block of EXIF."""

from __future__ import annotations

from struct import error as struct_error
from struct import unpack_from

_SHORT, _LONG = 3, 4


def tags_of(data: bytes) -> dict[int, int]:
    """Return the tags of the first directory of a TIFF structure that are single integers, by number.

    Raises:
        ValueError: it is no TIFF structure, or is cut off.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        raise ValueError("no TIFF structure")
    try:
        (at,) = unpack_from(order + "I", data, 4)
        (count,) = unpack_from(order + "H", data, at)
        tags = {}
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind, values = unpack_from(order + "HHI", data, entry)
            if values == 1 and kind in (_SHORT, _LONG):
                (tags[tag],) = unpack_from(order + ("H" if kind == _SHORT else "I"), data, entry + 8)
    except struct_error as error:
        raise ValueError("its directory lies beyond its end") from error
    return tags
