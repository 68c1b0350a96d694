from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from leaven.errors import DecodeError
from leaven.protocols import ImageInfo
from leaven.testing import DecoderContract
from leaven_plugins.decoders.indices import IndexDecoder
from leaven_plugins.decoders.indices.palette import as_numbers, has_palette

SIGNATURE = b"\x89PNG\r\n\x1a\n"
DECODER = IndexDecoder()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def filtered(rows, kind):
    """Filter rows of bytes as PNG defines it, for one byte to a pixel."""
    found, above = [], np.zeros(len(rows[0]), int)
    for row in rows.astype(int):
        left, corner = np.r_[0, row[:-1]], np.r_[0, above[:-1]]
        guess = left + above - corner
        far = np.abs(np.stack([left, above, corner]) - guess)
        paeth = np.choose(far.argmin(0), [left, above, corner])
        predicted = [0, left, above, (left + above) // 2, paeth][kind]
        found.append(bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes())
        above = row
    return b"".join(found)


def palette_png(numbers, depth=8, filter_kind=0, palette=None, extra=(), before=()):
    height, width = numbers.shape
    bits = np.unpackbits(numbers.astype(np.uint8)[:, :, None], axis=2)[:, :, 8 - depth :]
    rows = np.packbits(bits.reshape(height, -1), axis=1)
    palette = bytes(3 << depth) if palette is None else palette
    head = struct.pack(">IIBBBBB", width, height, depth, 3, 0, 0, 0)
    parts = [(b"IHDR", head), *before, (b"PLTE", palette), *extra]
    parts += [(b"IDAT", zlib.compress(filtered(rows, filter_kind))), (b"IEND", b"")]
    return SIGNATURE + b"".join(chunk(*part) for part in parts)


class TestIndices(DecoderContract):
    spec = "decoder:indices"


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("filter_kind", range(5))
def test_numbers_of_a_palette_are_kept(depth, filter_kind):
    """Whatever the colours are: here all of them are black."""
    numbers = np.random.default_rng(depth).integers(0, 1 << depth, (13, 21)).astype(np.uint8)
    data = palette_png(numbers, depth, filter_kind)
    assert DECODER.info(data) == ImageInfo(13, 21, 1)
    decoded = DECODER.decode(data, color=False)
    assert decoded.image.dtype == np.uint8
    np.testing.assert_array_equal(decoded.image, numbers[:, :, None])


def test_parts_that_speak_of_colours_do_not_matter():
    numbers = np.arange(40, dtype=np.uint8).reshape(5, 8) % 4
    extra = [(b"tRNS", b"\0\7"), (b"bKGD", b"\0"), (b"hIST", bytes(512)), (b"tEXt", b"Title\0mask")]
    data = palette_png(numbers, extra=extra, before=[(b"sBIT", b"\5\6\5"), (b"gAMA", struct.pack(">I", 45455))])
    np.testing.assert_array_equal(DECODER.decode(data, color=False).image[:, :, 0], numbers)


def test_a_mask_may_have_an_orientation_of_its_own():
    numbers = np.arange(6, dtype=np.uint8).reshape(2, 3)
    exif = b"MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIHH", 274, 3, 1, 6, 0) + bytes(4)
    data = palette_png(numbers, extra=[(b"eXIf", exif)])
    assert DECODER.info(data) == ImageInfo(3, 2, 1, 6)
    np.testing.assert_array_equal(DECODER.decode(data, color=False).image[:, :, 0], np.rot90(numbers, -1))


def test_in_colour_a_palette_is_one():
    numbers = np.array([[0, 1], [2, 3]], np.uint8)
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 8, 7]], np.uint8)
    data = palette_png(numbers, 2, palette=colors.tobytes())
    np.testing.assert_array_equal(DECODER.decode(data).image, colors[numbers])


def test_everything_else_is_left_to_the_other_decoder():
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    for extension, shape in ((".png", (4, 4, 3)), (".bmp", (4, 4, 3))):
        data = cv2.imencode(extension, image)[1].tobytes()
        assert not has_palette(data)
        assert DECODER.decode(data, color=False).image.shape == shape
    deep = cv2.imencode(".png", np.full((3, 3), 40_000, np.uint16))[1].tobytes()
    assert DECODER.decode(deep, color=False).image.dtype == np.uint16


def test_the_other_decoder_can_be_chosen():
    data = palette_png(np.zeros((30, 30), np.uint8))
    with pytest.raises(DecodeError, match="over the limit of 100 pixels"):
        IndexDecoder({"use": "opencv", "max_pixels": 100}).decode(data, color=False)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.9])
def test_damage_is_an_error(place):
    data = palette_png(np.random.default_rng(0).integers(0, 256, (40, 40)).astype(np.uint8))
    at = int(place * len(data))
    damaged = data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]
    for broken in (damaged, data[:at]):
        with pytest.raises(DecodeError):
            DECODER.decode(broken, color=False)


def test_no_palette_has_16_bits():
    data = bytearray(palette_png(np.zeros((4, 4), np.uint8)))
    data[24] = 16
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    with pytest.raises(ValueError, match="a palette of 16 bits"):
        as_numbers(bytes(data))
