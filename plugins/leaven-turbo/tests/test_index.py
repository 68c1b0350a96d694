"""Where the MCUs of a file begin: found once, stored beside it, and refused where it is not that of the file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("leaven_turbo")
from leaven_turbo import _native

CHECKED_AT = 8
INDEXED = 0


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    random = np.random.default_rng(seed)
    coarse = cv2.resize(random.integers(0, 256, (6, 6, 3), dtype=np.uint8), (width, height))
    return np.clip(coarse + random.normal(0, 12, (height, width, 3)), 0, 255).astype(np.uint8)


def jpeg(
    height: int = 64, width: int = 96, seed: int = 0, restart: int = 0, quality: int = 90, grey: bool = False
) -> bytes:
    image: Any = picture(height, width, seed)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    return cv2.imencode(".jpg", image[..., 0] if grey else image, options)[1].tobytes()


class Outcome(NamedTuple):
    """What is said of an image that was drawn."""

    status: str
    way: int
    refused: bool
    resampling: int
    text: str


def drawn(data: bytes, box: tuple[int, int, int, int], index: bytes | None = None) -> tuple[Outcome, NDArray[np.uint8]]:
    """Draw left, top, right and bottom of a file at its own size."""
    left, top, right, bottom = box
    out = np.zeros((1, bottom - top, right - left, 3), np.uint8)
    numbers = np.array([[left, 1, top, 1, 1, 1, 0, 0, 0, 0, 0]], np.float64)
    (outcome,) = _native.draw([data], [index], numbers, out, 2**40, None, None)
    return Outcome(*outcome), out


def refused(index: bytes, data: bytes, match: str | None = None) -> None:
    with pytest.raises(_native.JpegError, match=match) as caught:
        _native.check_index(index, data)
    assert caught.value.status == "index"
    outcome, pixels = drawn(data, (0, 0, 16, 16), index)
    assert outcome.refused == (index != b"")  # which is none
    np.testing.assert_array_equal(pixels, drawn(data, (0, 0, 16, 16))[1])


def outcome(attempt: Callable[[], bytes]) -> str:
    try:
        return "made" if attempt() else "nothing"
    except _native.JpegError as error:
        return str(error.status)
    except ValueError:
        return "argument"


def width_in_mcus(data: bytes) -> int:
    factors = data[data.index(b"\xff\xc0") + 11]
    channels = _native.info(data)[2]
    return -(-_native.info(data)[1] // (8 * (factors >> 4 if channels == 3 else 1)))


def sealed(index: bytes) -> bytes:
    """The index with the checksum that its bytes ask for."""
    return index[:4] + struct.pack("<I", zlib.crc32(index[CHECKED_AT:])) + index[CHECKED_AT:]


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def restart_markers(data: bytes) -> list[int]:
    """Offsets of the first bytes of all segments, and of the byte after the EOI."""
    start = data.index(b"\xff\xda") + 2
    start += struct.unpack_from(">H", data, start)[0]
    pairs = range(start, len(data) - 1)
    return [start] + [
        at + 2 for at in pairs if data[at] == 0xFF and (0xD0 <= data[at + 1] <= 0xD7 or data[at + 1] == 0xD9)
    ]


def test_the_layout_for_a_file_with_restart_markers():
    data = jpeg(restart=3)
    index = _native.make_index(data, 1)
    offsets = restart_markers(data)
    assert len(offsets) == 4 * 2 + 1
    assert index[:4] == b"LTX\x01"
    checksum, size, _, kind, interval = struct.unpack_from("<IQQBH", index, 4)
    assert (checksum, size, kind, interval) == (zlib.crc32(index[CHECKED_AT:]), len(data), 0, 3)
    lengths = [after - before for before, after in pairwise(offsets)]
    assert index[27:] == b"".join(map(varint, lengths))


@pytest.mark.parametrize(("asked", "taken"), [(1, 1), (2, 2), (4, 3), (5, 3), (6, 6), (1000, 6), (2**40, 6)])
def test_the_interval_is_a_divisor_of_the_row(asked, taken):
    data = jpeg(width=96)
    (interval,) = struct.unpack_from("<H", _native.make_index(data, asked), 25)
    assert interval == taken


@pytest.mark.parametrize("interval", [0, -1, -(2**40)])
def test_intervals_that_are_none(interval):
    with pytest.raises(ValueError, match="at least"):
        _native.make_index(jpeg(), interval)


@given(
    st.integers(1, 130), st.integers(1, 130), st.integers(0, 5), st.integers(1, 6), st.booleans(), st.integers(0, 99)
)
@settings(max_examples=100)
def test_an_index_is_that_of_its_file(height, width, restart, interval, grey, seed):
    data = jpeg(height, width, seed, restart, grey=grey)
    if restart > 0 and width_in_mcus(data) % restart != 0:
        assert outcome(lambda: _native.make_index(data, interval)) in ("made", "unsupported")
        return
    index = _native.make_index(data, interval)
    _native.check_index(index, data)
    assert index == _native.make_index(data, interval)


def test_indices_are_small():
    image = picture(375, 500)
    for restart, most in ((4, 3), (0, 9)):
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 93, cv2.IMWRITE_JPEG_RST_INTERVAL, restart])[1]
        segments = 24 * 8
        assert len(_native.make_index(data.tobytes(), 4)) <= 27 + most * segments


def test_indices_of_other_files():
    data = jpeg()
    index = _native.make_index(data, 2)
    refused(index, jpeg(seed=1))
    refused(index, data + b"\0")
    refused(index, jpeg(restart=3))
    middle = len(data) - 20
    refused(index, data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :], "another file")
    tables = data.index(b"\xff\xdb") + 9
    refused(index, data[:tables] + b"\x63" + data[tables + 1 :], "another file")


@pytest.mark.parametrize("restart", [0, 3])
def test_damaged_indices(restart):
    data = jpeg(restart=restart)
    index = _native.make_index(data, 3)
    for end in range(len(index)):
        refused(index[:end], data)
    refused(index + b"\0", data)
    for at in range(len(index)):
        refused(index[:at] + bytes([index[at] ^ 0x10]) + index[at + 1 :], data)


@pytest.mark.parametrize("restart", [0, 3])
def test_indices_that_were_sealed_with_something_wrong_within(restart):
    data = jpeg(restart=restart)
    index = _native.make_index(data, 3)
    refused(sealed(index[:24] + b"\x02" + index[25:]), data, "kind 2")
    refused(sealed(index[:25] + b"\0\0" + index[27:]), data, "segments of 0")
    refused(sealed(index[:25] + b"\x04\0" + index[27:]), data, "segments of 4")
    refused(sealed(index[:25] + b"\x01\0" + index[27:]), data)
    refused(sealed(index[:27] + b"\0" + index[27:]), data, "segment 0")
    refused(sealed(index[:27] + b"\xff" * 8 + b"\x01" + index[27:]), data, "segment 0")
    refused(sealed(index[:27] + b"\xff" * 40), data, "segment 0")
    refused(sealed(index[:-1]), data)
    refused(sealed(index + b"\x01"), data, "to spare")
    refused(sealed(b"LTX\x02" + index[4:]), data, "version 2")


def test_segments_that_are_not_those_of_the_restart_markers():
    marked, walked = jpeg(restart=3), jpeg()
    index = bytearray(_native.make_index(marked, 3))
    assert index[25] == 3
    index[25] = 6
    refused(sealed(bytes(index)), marked, "restart markers every 3")
    index[24:26] = [_native.make_index(walked, 3)[24], 3]
    refused(sealed(bytes(index)), marked, "restart markers every 3")


def test_dc_that_is_none():
    data = jpeg()
    index = _native.make_index(data, 3)
    length = 1 + (index[27] > 127)
    refused(sealed(index[: 27 + length] + varint(131071) + index[28 + length :]), data, "DC")


def test_offsets_that_do_not_lie_between_markers():
    data = jpeg(restart=3)
    lengths = [after - before for before, after in pairwise(restart_markers(data))]
    index = _native.make_index(data, 3)
    lengths[1] += 1
    lengths[2] -= 1
    wrong = sealed(index[:27] + b"".join(map(varint, lengths)))
    _native.check_index(wrong, data)  # nothing that it could see without looking at each segment
    width, height = 96, 64
    below = 0, 2 * 16 + 4, width, height
    outcome, pixels = drawn(data, below, wrong)
    assert (outcome.way, outcome.refused) == (INDEXED, False)
    np.testing.assert_array_equal(pixels, drawn(data, below)[1])
    for box in ((0, 0, width, height), (60, 0, width, 10), (0, 20, 40, 30)):
        outcome, pixels = drawn(data, box, wrong)
        assert outcome.refused
        assert outcome.way != INDEXED
        assert "between its markers" in outcome.text
        np.testing.assert_array_equal(pixels, drawn(data, box)[1])


def test_a_segment_that_holds_others():
    data = jpeg(restart=3, height=16 * 9)
    offsets = restart_markers(data)
    index = _native.make_index(data, 3)
    assert data[offsets[2] - 1] == data[offsets[10] - 1] == 0xD1
    lengths = [offsets[1] - offsets[0], offsets[10] - offsets[1]] + [1] * 16
    forged = sealed(index[:27] + b"".join(map(varint, lengths)))
    outcome, pixels = drawn(data, (60, 0, 90, 10), forged)
    assert outcome.refused
    assert "markers within" in outcome.text
    np.testing.assert_array_equal(pixels, drawn(data, (60, 0, 90, 10))[1])


def test_an_index_that_was_walked_has_to_agree_with_the_data():
    """Where a segment is said to begin is compared with where the one before ends."""
    data = jpeg()
    index = _native.make_index(data, 3)
    wrong = sealed(index[:27] + bytes([index[27] ^ 1]) + index[28:])
    for box in ((0, 0, 40, 10), (50, 0, 96, 16)):
        outcome, pixels = drawn(data, box, wrong)
        assert outcome.refused
        np.testing.assert_array_equal(pixels, drawn(data, box)[1])


@given(st.data(), st.sampled_from([0, 3]))
@settings(max_examples=500)
def test_a_forged_index_never_does_more_than_raise(data, restart):
    file = jpeg(restart=restart)
    index = bytearray(_native.make_index(file, 3))
    for at in data.draw(st.lists(st.integers(24, len(index) - 1), min_size=1, max_size=5)):
        index[at] = data.draw(st.sampled_from([0, 1, 127, 128, 255]) | st.integers(0, 255))
    outcome, _ = drawn(file, (7, 3, 90, 61), sealed(bytes(index)))
    assert outcome.status == ""


@pytest.mark.parametrize(
    ("at", "code", "match"), [(3, 0xD4, "restart marker 3"), (7, 0xD9, "of 8 segments"), (3, 0xC0, "of 8")]
)
def test_restart_markers_that_do_not_count_up(at, code, match):
    data = bytearray(jpeg(restart=3))
    data[restart_markers(bytes(data))[at] - 1] = code
    with pytest.raises(_native.JpegError, match=match) as caught:
        _native.make_index(bytes(data), 3)
    assert caught.value.status == "damaged"


def test_too_many_restart_markers():
    data = jpeg(restart=3)
    with pytest.raises(_native.JpegError, match="more than") as caught:
        _native.make_index(data[:-2] + b"\xff\xd7ab\xff\xd9", 3)
    assert caught.value.status == "damaged"


@pytest.mark.parametrize("tail", [b"\x55\x55\xff\xd9", b"\x7f\xff\x00\xff\xd9", b"", b"\xff", b"\xff\xd0\xff\xd9"])
def test_data_that_do_not_end_with_the_picture(tail):
    data = jpeg()
    with pytest.raises(_native.JpegError, match="data") as caught:
        _native.make_index(data[:-2] + tail, 3)
    assert caught.value.status == "damaged"


def test_arguments():
    data = jpeg()
    index = _native.make_index(memoryview(data), 3)
    assert _native.check_index(bytearray(index), memoryview(data)) is None
    for call, arguments in (
        (_native.make_index, (data,)),
        (_native.make_index, (data, "3")),
        (_native.make_index, ("text", 3)),
        (_native.check_index, (index,)),
        (_native.check_index, ("text", data)),
        (_native.check_index, (index, "text")),
    ):
        with pytest.raises(TypeError):
            call(*arguments)
    with pytest.raises(_native.JpegError, match="not a JPEG") as caught:
        _native.check_index(index, b"something else")
    assert caught.value.status == "damaged"
