"""Headers of image files: format, size, channels and orientation, without decoding a pixel."""

from __future__ import annotations

from collections.abc import Callable
from struct import error as struct_error
from struct import unpack_from
from typing import NamedTuple

from leaven.errors import DecodeError
from leaven_plugins.decoders.opencv.orientation import orientation_of
from leaven_plugins.decoders.opencv.tiff import tags_of

_EOI = b"\xff\xd9"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 4, 6: 4}  # by colour type; palettes are expanded, grey with alpha becomes RGBA
_BARE_MARKERS = (0x01, *range(0xD0, 0xD9))  # TEM, RSTn and SOI have no length
_NO_FRAME = (0xC4, 0xC8, 0xCC)  # DHT, JPG and DAC: among the SOFn by number only


class Header(NamedTuple):
    """What a file says of itself.

    ``height`` and ``width`` are those of the stored pixels, before ``orientation`` (EXIF, 1-8) is applied; ``channels``
    is what decoding without conversion gives. ``complete`` is false where the file
    is known to lack its end.
    """

    format: str
    height: int
    width: int
    channels: int
    orientation: int = 1
    complete: bool = True


def read_header(data: bytes) -> Header:
    """Return the header of an image file.

    Raises:
        DecodeError: empty, of an unknown format, without pixels, or cut off or damaged within the header.
    """
    if not data:
        raise DecodeError("no image: 0 bytes")
    name, parse = _parser_for(data)
    try:
        header = parse(data)
    except (struct_error, IndexError) as error:
        raise DecodeError(f"{name} image of {len(data)} bytes is cut off within its header") from error
    except ValueError as error:
        raise DecodeError(f"{name} image of {len(data)} bytes has a damaged header: {error}") from error
    if header.height < 1 or header.width < 1:
        raise DecodeError(f"{name} image has no pixels: its header says {header.height} rows, {header.width} columns")
    return header


def _parser_for(data: bytes) -> tuple[str, Callable[[bytes], Header]]:
    for name, (signatures, parse) in _FORMATS.items():
        if data.startswith(signatures):
            return name, parse
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", _webp
    known = ", ".join([*_FORMATS, "webp"])
    raise DecodeError(f"unknown image format: {len(data)} bytes that begin with {data[:8].hex(' ')}; known: {known}")


def _jpeg(data: bytes) -> Header:
    orientation = 1
    height = width = components = 0
    at = 2
    while True:
        if data[at] != 0xFF:
            raise ValueError(f"no marker at offset {at}")
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        at += 2
        if marker in _BARE_MARKERS:
            continue
        if marker == 0xD9:
            raise ValueError("it ends before any pixels")
        (length,) = unpack_from(">H", data, at)
        if marker == 0xDA:
            # Within the scan a 0xFF is followed by 0 or a restart marker, so this is no end of an embedded thumbnail.
            complete = data.endswith(_EOI) or data.rfind(_EOI, at) >= 0
            return Header("jpeg", height, width, 1 if components == 1 else 3, orientation, complete)
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width, components = unpack_from(">HHB", data, at + 3)
        elif marker == 0xE1 and data[at + 2 : at + 8] == b"Exif\0\0":
            orientation = orientation_of(data[at + 8 : at + length])
        at += length


def _png(data: bytes) -> Header:
    (kind,) = unpack_from("4s", data, 12)
    width, height, _, color = unpack_from(">IIBB", data, 16)
    if kind != b"IHDR" or color not in _PNG_CHANNELS:
        raise ValueError("no IHDR chunk" if kind != b"IHDR" else f"colour type {color}")
    channels = _PNG_CHANNELS[color]
    orientation = 1
    at = 33
    while at + 8 <= len(data):
        length, kind = unpack_from(">I4s", data, at)
        if kind == b"IDAT":
            break
        if kind == b"tRNS" and color in (2, 3):
            channels = 4
        elif kind == b"eXIf":
            orientation = orientation_of(data[at + 8 : at + 8 + length])
        at += 12 + length
    return Header("png", height, width, channels, orientation, data.rfind(b"IEND") >= 33)


def _bmp(data: bytes) -> Header:
    (size,) = unpack_from("<I", data, 14)
    if size == 12:  # the header of OS/2
        width, height, _, depth = unpack_from("<HHHH", data, 18)
        entry, colors = 3, 0
    else:
        width, height, _, depth, _, _, _, _, colors = unpack_from("<iiHHIIiiI", data, 18)
        entry = 4
    channels = {24: 3, 32: 4}.get(depth, 3)
    if depth <= 8:
        palette = data[14 + size : 14 + size + entry * (colors or 1 << depth)]
        channels = 1 if palette[0::entry] == palette[1::entry] == palette[2::entry] else 3
    return Header("bmp", abs(height), width, channels)


def _gif(data: bytes) -> Header:
    width, height, flags = unpack_from("<HHB", data, 6)
    at = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
    channels = 3
    while data[at] == 0x21:  # extensions before the first frame; 0xF9 says whether a colour is transparent
        if data[at + 1] == 0xF9 and data[at + 3] & 1:
            channels = 4
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    return Header("gif", height, width, channels)


def _webp(data: bytes) -> Header:
    (size,) = unpack_from("<I", data, 4)
    (kind,) = unpack_from("4s", data, 12)
    complete = len(data) >= size + 8 - (size & 1)
    if kind == b"VP8X":
        flags = data[20]
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        orientation = _webp_orientation(data) if flags & 0x08 else 1
        return Header("webp", height, width, 4 if flags & 0x10 else 3, orientation, complete)
    if kind == b"VP8L":
        (bits,) = unpack_from("<I", data, 21)
        channels = 4 if bits >> 28 & 1 else 3
        return Header("webp", (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1, channels, complete=complete)
    if kind == b"VP8 ":
        width, height = unpack_from("<HH", data, 26)
        return Header("webp", height & 0x3FFF, width & 0x3FFF, 3, complete=complete)
    raise ValueError(f"chunk {kind!r}")


def _webp_orientation(data: bytes) -> int:
    at = 12
    while at + 8 <= len(data):
        kind, length = unpack_from("<4sI", data, at)
        if kind == b"EXIF":
            return orientation_of(data[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)
    return 1


def _tiff(data: bytes) -> Header:
    tags = tags_of(data)
    if not {256, 257} <= set(tags):
        raise ValueError("its directory has no size")
    orientation = tags.get(274, 1)
    channels = 3 if tags.get(262) == 3 else tags.get(277, 1)  # palettes are expanded
    return Header("tiff", tags[257], tags[256], channels, orientation if 1 <= orientation <= 8 else 1)


_FORMATS: dict[str, tuple[bytes | tuple[bytes, ...], Callable[[bytes], Header]]] = {
    "jpeg": (b"\xff\xd8\xff", _jpeg),
    "png": (_PNG_SIGNATURE, _png),
    "bmp": (b"BM", _bmp),
    "gif": ((b"GIF87a", b"GIF89a"), _gif),
    "tiff": ((b"II*\0", b"MM\0*"), _tiff),
}
