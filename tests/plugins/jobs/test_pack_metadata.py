"""Metadata, by what OpenCV and a few lines of struct say of the same files."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import DecodeError
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.jobs.pack.metadata import exif_of, stripped, upright, with_exif

PIXELS = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)


def exif(orientation, order="<"):
    head = struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8)
    entries = struct.pack(order + "HHHI4s", 2, 0x010F, 2, 4, b"abc\0")
    return head + entries + struct.pack(order + "HHIHHI", 274, 3, 1, orientation, 0, 0)


def file(suffix):
    return cv2.imencode(suffix, PIXELS)[1].tobytes()


def jpeg_with(*segments):
    data = file(".jpg")
    return data[:2] + b"".join(b"\xff" + bytes([m]) + struct.pack(">H", 2 + len(c)) + c for m, c in segments) + data[2:]


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def webp_with(*chunks):
    data = file(".webp")
    body = (
        b"VP8X"
        + struct.pack("<I", 10)
        + bytes([0x0C, 0, 0, 0])
        + (39).to_bytes(3, "little")
        + (23).to_bytes(3, "little")
    )
    body += data[12:] + b"".join(name + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for name, c in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


FILES = {
    "jpeg": jpeg_with(
        (0xE1, b"Exif\0\0" + exif(6)),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        (0xFE, b"words"),
        (0xED, b"photoshop"),
    ),
    "png": file(".png")[:33] + chunk(b"eXIf", exif(6)) + chunk(b"tEXt", b"a\0b") + file(".png")[33:],
    "webp": webp_with((b"EXIF", exif(6)), (b"XMP ", b"<x/>")),
}


@pytest.mark.parametrize("name", FILES)
def test_metadata_go_and_pixels_stay(name):
    data = FILES[name]
    assert exif_of(data) == exif(6)
    assert OpenCVDecoder().info(data).orientation == 6
    plain = stripped(data)
    assert exif_of(plain) == b""
    assert OpenCVDecoder().info(plain).orientation == 1
    assert not any(word in plain for word in (b"<x/>", b"words", b"photoshop", b"tEXt"))
    assert stripped(plain) == plain
    as_stored = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_COLOR), as_stored)


def test_profile_and_colour_transform_stay():
    kept = [(0xE2, b"ICC_PROFILE\0\1\1profile"), (0xEE, b"Adobe\0d\0\0\0\0\1")]
    data = jpeg_with(*kept, (0xE2, b"MPF\0"))
    assert stripped(data) == jpeg_with(*kept)
    assert stripped(b"BM, or anything else") == b"BM, or anything else"


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_carried_over_and_says_upright(suffix, order):
    block = upright(exif(6, order))
    assert block == exif(1, order)
    made = with_exif(file(suffix), block)
    assert exif_of(made) == block
    assert stripped(made) == file(suffix)
    np.testing.assert_array_equal(OpenCVDecoder().decode(made).image, OpenCVDecoder().decode(file(suffix)).image)


def test_broken_exif_stays_as_it_is_and_large_one_is_refused():
    assert upright(b"II*\0\xff\xff\xff\xff") == b"II*\0\xff\xff\xff\xff"
    assert upright(b"") == b""
    with pytest.raises(DecodeError, match="70000 bytes, more than a JPEG can hold"):
        with_exif(file(".jpg"), bytes(70_000))


@given(data=st.data(), name=st.sampled_from(sorted(FILES)))
def test_damaged_files_are_refused_or_read(data, name):
    damaged = bytearray(FILES[name][: data.draw(st.integers(0, len(FILES[name])))])
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            damaged[data.draw(st.integers(0, min(200, len(damaged) - 1)))] = data.draw(st.integers(0, 255))
    for function in (stripped, exif_of):
        try:
            assert len(function(bytes(damaged))) <= len(damaged)
        except DecodeError:
            pass
