"""What the markers of a JPEG say: the same as the reader that is written in Python."""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("leaven_turbo")
from leaven_plugins.decoders.opencv.headers import read_header
from leaven_turbo import _native

EOI = b"\xff\xd9"
JFIF = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"


def marker(code: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, code, len(body) + 2) + body


def frame(
    height: int = 30, width: int = 50, factors: tuple[int, ...] = (0x11,), code: int = 0xC0, bits: int = 8
) -> bytes:
    components = b"".join(bytes([number + 1, factor, 0]) for number, factor in enumerate(factors))
    return marker(code, struct.pack(">BHHB", bits, height, width, len(factors)) + components)


def scan(count: int = 1) -> bytes:
    return marker(0xDA, bytes([count]) + b"".join(bytes([n + 1, 0]) for n in range(count)) + b"\0\x3f\0")


def file_of(*parts: bytes) -> bytes:
    return b"\xff\xd8" + b"".join(parts) + b"data" + EOI


def exif(*entries: tuple[int, int, int, int], order: str = "<", count: int | None = None, cut: int = 0) -> bytes:
    """A block of EXIF with entries of tag, type, number of values, and value."""
    directory = b"".join(
        struct.pack(order + "HHI", tag, kind, values)
        + (struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value))
        for tag, kind, values, value in entries
    )
    start = b"II*\0" if order == "<" else b"MM\0*"
    body = start + struct.pack(order + "IH", 8, len(entries) if count is None else count) + directory
    return b"Exif\0\0" + body[: len(body) - cut]


def damaged(data: bytes, match: str) -> None:
    with pytest.raises(_native.JpegError, match=match) as caught:
        _native.info(data)
    assert caught.value.status == "damaged"


def same_as_reference(data: bytes) -> None:
    reference = read_header(data)
    height, width = reference.height, reference.width
    upright = (width, height) if reference.orientation >= 5 else (height, width)
    assert _native.info(data)[:4] == (*upright, reference.channels, reference.orientation)


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("channels", [1, 3])
def test_real_files(channels, progressive):
    image: Any = np.zeros((37, 61, channels), np.uint8)
    options = [cv2.IMWRITE_JPEG_PROGRESSIVE, progressive, cv2.IMWRITE_JPEG_RST_INTERVAL, 5]
    data = cv2.imencode(".jpg", image, options)[1].tobytes()
    assert _native.info(data) == (37, 61, channels, 1, True, 5, bool(progressive))
    same_as_reference(data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("orientation", range(11))
def test_orientation(orientation, kind, order):
    block = exif((256, 3, 1, 7), (274, kind, 1, orientation), (282, 5, 1, 0), order=order)
    data = file_of(marker(0xE1, block), frame(), scan())
    expected = orientation if 1 <= orientation <= 8 else 1
    assert _native.info(data)[:4] == ((50, 30) if expected >= 5 else (30, 50)) + (1, expected)
    same_as_reference(data)


@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0XX*\0\x08\0\0\0\0\0",
        b"Exif\0\0II*\0\xff\xff\xff\xff\0\0",
        b"Exif\0\0II*\0\x07\0\0\0\0",
        exif((274, 3, 1, 6), cut=1),
        exif((274, 3, 1, 6), cut=3),
        exif((274, 4, 1, 6), cut=1),
        exif((256, 5, 1, 6), (274, 3, 1, 6), cut=5),
        exif((274, 3, 1, 6), count=2),
        exif((274, 3, 1, 6), count=65535),
        exif((274, 3, 2, 6)),
        exif((274, 1, 1, 6)),
        exif((274, 4, 1, 0x60000)),
        exif((274, 3, 1, 6), (274, 3, 1, 3)),
        exif((274, 3, 1, 6), (256, 2, 4, 6), cut=4),
    ],
)
def test_exif_that_is_broken_or_odd(block):
    same_as_reference(file_of(marker(0xE1, block), frame(), scan()))


@given(st.binary(max_size=40), st.integers(0, 60), st.sampled_from(["<", ">"]))
@settings(max_examples=300, deadline=None)
def test_any_exif_reads_as_the_reference_does(noise, at, order):
    block = exif((256, 4, 1, 9), (274, 3, 1, 8), (282, 5, 1, 0), order=order)
    block = block[:6] + block[6 : 6 + at] + noise + block[6 + at + len(noise) :]
    same_as_reference(file_of(marker(0xE1, block), frame(), scan()))


def test_a_block_that_is_no_exif_leaves_the_orientation():
    xmp = marker(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")
    data = file_of(marker(0xE1, exif((274, 3, 1, 8))), xmp, frame(), scan())
    assert _native.info(data)[3] == 8
    same_as_reference(data)


def test_a_thumbnail_within_exif_is_not_the_image():
    thumbnail = file_of(frame(3, 4), scan())
    data = file_of(marker(0xE1, exif((274, 3, 1, 6)) + thumbnail), frame(), scan())
    assert _native.info(data)[:4] == (50, 30, 1, 6)
    same_as_reference(data)


def test_fill_bytes_and_markers_without_a_body():
    data = file_of(b"\xff\xff\xff" + marker(0xE0, JFIF), b"\xff\x01\xff\xd3\xff\xff\xd0", b"\xff\xff" + frame(), scan())
    assert _native.info(data) == (30, 50, 1, 1, True, 0, False)
    same_as_reference(data)


def test_the_last_interval_counts():
    intervals = marker(0xDD, b"\0\x07") + marker(0xDD, b"\x01\x02")
    assert _native.info(file_of(intervals, frame(), scan()))[5] == 258


@pytest.mark.parametrize(
    ("frame_of", "supported"),
    [
        ({"code": 0xC0}, True),
        ({"code": 0xC1}, True),
        ({"code": 0xC2}, True),
        ({"code": 0xC3}, False),
        ({"code": 0xC5}, False),
        ({"code": 0xC7}, False),
        ({"code": 0xC9}, False),
        ({"code": 0xCA}, False),
        ({"code": 0xCF}, False),
        ({"code": 0xC1, "bits": 12}, False),
        ({"factors": (0x22, 0x11, 0x11)}, True),
        ({"factors": (0x31, 0x11, 0x11)}, True),
        ({"factors": (0x31, 0x21, 0x11)}, False),
        ({"factors": (0x12, 0x13, 0x11)}, False),
        ({"factors": (0x44,)}, True),
        ({"factors": (0x11, 0x11)}, False),
        ({"factors": (0x11, 0x11, 0x11, 0x11)}, False),
        ({"factors": (0x11,) * 9}, False),
    ],
)
def test_what_can_be_drawn(frame_of, supported):
    data = file_of(frame(**frame_of), scan(len(frame_of.get("factors", (0x11,)))))
    assert _native.info(data)[4] is supported
    same_as_reference(data)


def test_sizes_at_their_limit():
    """Sides of more than 65500 pixels are refused by libjpeg."""
    data = file_of(frame(65535, 65535), scan())
    assert _native.info(data)[:2] == (65535, 65535)
    for size in ((65535, 8), (8, 65535), (65501, 8)):
        assert _native.info(file_of(frame(*size), scan()))[4] is False
    assert _native.info(file_of(frame(65500, 65500), scan()))[4] is True


def test_an_error_without_a_status():
    assert _native.JpegError("text").status == "damaged"


@pytest.mark.parametrize("tail", [b"", b"\xd9", b"\xff", bytes(1000), b"\xd9" * 50, b"\xd9\xff" * 50])
def test_the_end_is_found_before_what_follows_it(tail):
    image: Any = np.zeros((16, 16), np.uint8)
    data = cv2.imencode(".jpg", image)[1].tobytes()
    out = np.zeros((1, 16, 16, 1), np.uint8)
    numbers = np.array([[0, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0]], np.float64)
    for file, status in ((data + tail, ""), (data[:-2] + tail.replace(b"\xff\xd9", b""), "damaged")):
        assert _native.draw([file], [None], numbers, out, 1000, None, None)[0][0] == status


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "not a JPEG"),
        (b"\xff\xd8", "not a JPEG"),
        (b"\x89PNG\r\n\x1a\n", "not a JPEG"),
        (b"\xff\xd8\xff", "cut off"),
        (b"\xff\xd8\xff\xff\xff", "cut off"),
        (b"\xff\xd8\xff\xd9", "ends before"),
        (b"\xff\xd8\xff\xe0\x00", "cut off"),
        (b"\xff\xd8\xff\xe0\x00\x01", "length of 1"),
        (b"\xff\xd8\xff\xe0\x00\x05ab", "cut off"),
        (file_of(marker(0xE0, JFIF) + b"?", frame(), scan()), "no marker at offset 20"),
        (file_of(scan()), "before its frame"),
        (file_of(frame(), frame(), scan()), "several frames"),
        (file_of(frame(height=0), scan()), "no pixels"),
        (file_of(frame(width=0), scan()), "no pixels"),
        (file_of(frame(factors=()), scan()), "no pixels"),
        (file_of(frame(factors=(0x10,)), scan()), "sampled 1x0"),
        (file_of(frame(factors=(0x11, 0x51, 0x11)), scan()), "component 1 is sampled 5x1"),
        (file_of(marker(0xC0, b"\x08\0\x10\0\x10\x03\x01\x11"), scan()), "SOF marker"),
        (file_of(marker(0xC0, b"\x08\0"), scan()), "SOF marker"),
        (file_of(frame(), marker(0xDA, b"\0\0\0\0")), "SOS marker"),
        (file_of(frame(), marker(0xDA, b"\x02\x01\0\0\x3f\0")), "SOS marker"),
        (file_of(marker(0xDD, b"\x01"), frame(), scan()), "DRI marker"),
        (file_of(b"\xff\xd8", frame(), scan()), "0xd8 has no place"),
        *[
            (file_of(marker(code, b""), frame(), scan()), f"{code:#04x} has no place")
            for code in (0x00, 0x02, 0xBF, 0xC8, 0xDE, 0xDF, 0xF0, 0xFD)
        ],
    ],
)
def test_damaged_headers(data, match):
    damaged(data, match)


def test_a_header_that_is_cut_off_anywhere():
    data = file_of(marker(0xE0, JFIF), marker(0xE1, exif((274, 3, 1, 6))), marker(0xDD, b"\0\x04"), frame(), scan())
    for end in range(len(data) - len(b"data" + EOI)):
        damaged(data[:end], "cut off|not a JPEG")


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_changed_bytes_never_do_more_than_raise(data):
    made = bytearray(file_of(marker(0xE0, JFIF), marker(0xE1, exif((274, 3, 1, 6))), frame(), scan()))
    for at in data.draw(st.lists(st.integers(0, len(made) - 1), min_size=1, max_size=5)):
        made[at] = data.draw(st.sampled_from([0, 1, 0xC0, 0xD9, 0xDA, 0xFF]) | st.integers(0, 255))
    status = "good"
    try:
        height, width, channels, orientation, supported, interval, progressive = _native.info(bytes(made))
    except _native.JpegError as error:
        status = error.status
    assert status in ("good", "damaged")
    if status == "damaged":
        return
    assert 1 <= height <= 65535
    assert 1 <= width <= 65535
    assert channels in (1, 3)
    assert 1 <= orientation <= 8
    assert 0 <= interval <= 65535
    assert {type(supported), type(progressive)} == {bool}
    same_as_reference(bytes(made))


def test_arguments():
    data = file_of(frame(), scan())
    assert _native.info(memoryview(data)) == _native.info(bytearray(data)) == _native.info(data)
    for arguments in ((), (data, data), ("text",), (None,)):
        with pytest.raises(TypeError):
            _native.info(*arguments)
