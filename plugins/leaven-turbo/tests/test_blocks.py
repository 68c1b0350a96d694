"""Parts of baseline files against libjpeg: the pixels have to be the same, bit by bit.

The reference is the same coefficients in a progressive file, which libjpeg decodes from the start.
"""

from __future__ import annotations

import platform
import struct
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("leaven_turbo")
from leaven_turbo import _native

INDEXED, BY_MARKERS, BY_WALKING, PLAINLY = range(4)
SAMPLING = {"444": 0x111111, "422": 0x211111, "420": 0x221111, "440": 0x121111, "411": 0x411111, "410": 0x421111}
SCALES = (1, 0.5, 0.25, 0.125)
LINEAR = 1
kinds = st.sampled_from(["grey", "444", "422", "420", "440", "411"])
sizes = st.integers(1, 150)
seeds = st.integers(0, 2**32 - 1)


class Outcome(NamedTuple):
    """What is said of an image that was drawn."""

    status: str
    way: int
    refused: bool
    resampling: int
    text: str


class Pair(NamedTuple):
    """The same coefficients in two files."""

    baseline: bytes
    progressive: bytes
    height: int
    width: int
    channels: int


def picture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Slopes with more or less grain, sheer noise, or black and white squares."""
    random = np.random.default_rng(seed)
    content = random.integers(4)
    if content == 0:
        return random.integers(0, 256, (height, width, 3), np.uint8)
    if content == 1:
        return np.repeat(random.integers(0, 2, (height, width, 1), np.uint8) * 255, 3, axis=2)
    few = random.integers(0, 256, (5, 5, 3), np.uint8)
    coarse = cv2.resize(few, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(coarse + random.normal(0, random.choice([0.5, 6, 30]), coarse.shape), 0, 255).astype(np.uint8)


def pair(kind: str, height: int, width: int, seed: int = 0, quality: int = 90, restart: int = 0, *more: int) -> Pair:
    image: Any = picture(height, width, seed)
    if kind == "grey":
        image = image[..., 0]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    if kind != "grey":
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[kind]]
    files = [
        cv2.imencode(".jpg", image, [*options, *others])[1].tobytes()
        for others in ((cv2.IMWRITE_JPEG_RST_INTERVAL, restart, *more), (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))
    ]
    assert _native.same_coefficients(*files)
    return Pair(files[0], files[1], height, width, 1 if kind == "grey" else 3)


def drawn(
    data: bytes,
    box: tuple[float, float, float, float],
    scale: float = 1,
    index: bytes | None = None,
    channels: int = 3,
    size: tuple[int, int] = (23, 31),
) -> tuple[Outcome, NDArray[np.uint8]]:
    """Draw left, top, right and bottom of a file."""
    left, top, right, bottom = box
    out = np.zeros((1, *size, channels), np.uint8)
    dx, dy = (right - left) / size[1], (bottom - top) / size[0]
    numbers = np.array([[left, dx, top, dy, scale, LINEAR, 0, 0, 0, 0, 0]], np.float64)
    (outcome,) = _native.draw([data], [index], numbers, out, 2**40, None, None)
    return Outcome(*outcome), out[0]


def check(files: Pair, box: tuple[float, float, float, float], index: bytes | None = None) -> set[int]:
    """Compare, at all scales; return the ways that were taken."""
    ways = set()
    for scale in SCALES:
        reference, expected = drawn(files.progressive, box, scale, None, files.channels)
        outcome, pixels = drawn(files.baseline, box, scale, index, files.channels)
        assert (reference.status, reference.way) == ("", PLAINLY)
        assert (outcome.status, outcome.refused) == ("", False)
        np.testing.assert_array_equal(pixels, expected)
        ways.add(outcome.way)
    return ways


def whole(files: Pair) -> tuple[int, int, int, int]:
    return 0, 0, files.width, files.height


@st.composite
def boxes(draw: st.DrawFn, height: int, width: int) -> tuple[int, int, int, int]:
    left, top = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return left, top, draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))


def changed(files: Pair, change: Any) -> Pair:
    made = files._replace(baseline=change(files.baseline), progressive=change(files.progressive))
    assert _native.same_coefficients(made.baseline, made.progressive)
    return made


def with_tables(data: bytes, tables: dict[int, NDArray[np.uint16]], bytes_each: int) -> bytes:
    """Return the file with these quantisation tables instead of its own, of 8 or of 16 bits."""
    made, at = bytearray(data[:2]), 2
    while data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] != 0xDB:
            made += data[at : at + 2 + length]
        at += 2 + length
        if len(made) == 20:  # behind SOI and JFIF
            for number, table in tables.items():
                body = table.astype(">u2" if bytes_each == 2 else np.uint8).tobytes()
                made += b"\xff\xdb" + struct.pack(">HB", 3 + len(body), (bytes_each - 1) << 4 | number) + body
    return bytes(made) + data[at:]


@given(st.data(), kinds, sizes, sizes, st.integers(1, 100), st.booleans(), seeds)
@settings(max_examples=150, deadline=None)
def test_files_without_an_index(data, kind, height, width, quality, optimize, seed):
    files = pair(kind, height, width, seed, quality, 0, cv2.IMWRITE_JPEG_OPTIMIZE, int(optimize))
    assert check(files, data.draw(boxes(height, width))) == {BY_WALKING}
    assert check(files, whole(files)) == {BY_WALKING}


@given(st.data(), kinds, sizes, sizes, st.integers(1, 100), st.integers(1, 6), seeds)
@settings(max_examples=100, deadline=None)
def test_files_with_an_index(data, kind, height, width, quality, interval, seed):
    files = pair(kind, height, width, seed, quality)
    index = _native.make_index(files.baseline, interval)
    assert check(files, data.draw(boxes(height, width)), index) == {INDEXED}
    assert check(files, whole(files), index) == {INDEXED}


@given(st.data(), kinds, sizes, sizes, st.integers(1, 100), st.integers(1, 60), seeds)
@settings(max_examples=100, deadline=None)
def test_files_with_restart_markers(data, kind, height, width, quality, restart, seed):
    files = pair(kind, height, width, seed, quality, restart)
    assert check(files, data.draw(boxes(height, width))) == {BY_MARKERS}


@given(st.data(), kinds, sizes, sizes, st.integers(1, 8), seeds)
@settings(max_examples=100, deadline=None)
def test_repacked_files(data, kind, height, width, interval, seed):
    files = pair(kind, height, width, seed)
    files = files._replace(baseline=_native.repack(files.progressive, interval, True, True, True))
    box = data.draw(boxes(height, width))
    assert check(files, box) <= {BY_MARKERS, BY_WALKING}
    assert check(files, box, _native.make_index(files.baseline, interval)) == {INDEXED}


@pytest.mark.parametrize("kind", ["grey", *SAMPLING])
@pytest.mark.parametrize("quality", [1, 50, 100])
def test_noise_and_squares(kind, quality):
    for seed, squares in ((3, False), (0, True)):
        image = picture(96, 128, seed)
        if squares:
            image = np.kron(np.indices((12, 16)).sum(0) % 2, np.ones((8, 8))).astype(np.uint8)[..., None] * 255
            image = np.repeat(np.roll(image, 3, (0, 1)), 3, axis=2)
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        if kind == "grey":
            image = np.ascontiguousarray(image[..., 0])
        else:
            options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[kind]]
        baseline = cv2.imencode(".jpg", image, options)[1].tobytes()
        progressive = cv2.imencode(".jpg", image, [*options, cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
        files = Pair(baseline, progressive, 96, 128, 1 if kind == "grey" else 3)
        check(files, whole(files))
        check(files, (37, 21, 101, 80), _native.make_index(baseline, 2))


def test_a_large_file_takes_several_windows():
    files = pair("420", 700, 900, 11, 97)
    assert len(files.baseline) > 10 * 16384
    for box in ((0, 0, 900, 700), (400, 300, 700, 600), (880, 650, 900, 700)):
        assert check(files, box) == {BY_WALKING}
        assert check(files, box, _native.make_index(files.baseline, 57)) == {INDEXED}
    rows = pair("420", 700, 900, 11, 97, 57 * 5)
    assert check(rows, (100, 340, 800, 500)) == {BY_MARKERS}


@pytest.mark.parametrize("bytes_each", [1, 2])
def test_quantisation_tables_are_those_of_the_markers(bytes_each):
    random = np.random.default_rng(1)
    tables = {number: random.integers(1, 60, 64).astype(np.uint16) for number in range(4)}
    files = changed(pair("420", 70, 90), lambda data: with_tables(data, tables, bytes_each))
    check(files, whole(files))

    def defined_anew(data):
        first = data.index(b"\xff\xdb")
        return data[:first] + data[first : first + 4 + 1 + 64 * bytes_each].replace(b"\x05", b"\x06") + data[first:]

    files = changed(files, defined_anew)
    check(files, whole(files))


@pytest.mark.skipif(platform.machine() != "x86_64", reason="where it overflows, libjpeg has other code elsewhere")
@pytest.mark.parametrize("most", [255, 1000, 65535])
@pytest.mark.parametrize("kind", ["grey", "444", "420"])
def test_what_overflows_does_so_as_in_libjpeg(kind, most):
    for seed in range(12):
        random = np.random.default_rng(seed)
        tables = {number: random.integers(1, most + 1, 64).astype(np.uint16) for number in range(2)}
        files = changed(pair(kind, 64, 80, seed, 100), lambda data, tables=tables: with_tables(data, tables, 2))
        check(files, whole(files))


def test_a_file_without_its_quantisation_table_is_damaged():
    files = pair("420", 40, 40)
    table = {0: np.full(64, 3, np.uint16)}
    outcome, _ = drawn(with_tables(files.baseline, table, 1), (0, 0, 40, 40))
    assert outcome.status == "damaged"


@pytest.mark.parametrize("factors", [0x21, 0x12, 0x22, 0x41, 0x44])
def test_sampling_factors_mean_nothing_to_a_file_of_one_component(factors):
    files = pair("grey", 70, 90, seed=3)

    def sampled(data):
        at = next(data.index(sof) for sof in (b"\xff\xc0", b"\xff\xc2") if sof in data)
        return data[: at + 11] + bytes([factors]) + data[at + 12 :]

    made = files._replace(baseline=sampled(files.baseline), progressive=sampled(files.progressive))
    assert check(made, (9, 20, 81, 63)) == {BY_WALKING}
    np.testing.assert_array_equal(drawn(made.baseline, whole(files))[1], drawn(files.baseline, whole(files))[1])


def test_a_file_in_rgb():
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\0"
    files = pair("444", 40, 56, seed=4)
    made = changed(files, lambda data: b"\xff\xd8" + adobe + data[data.index(b"\xff\xdb") :])
    assert (drawn(made.baseline, whole(files))[1] != drawn(files.baseline, whole(files))[1]).any()
    assert check(made, (7, 3, 50, 39)) == {BY_WALKING}


def test_fill_bytes_before_markers():
    files = pair("444", 64, 64, 5, 90, 4)
    marker = files.baseline.index(b"\xff\xd2")
    data = files.baseline[:marker] + b"\xff\xff" + files.baseline[marker:-2] + b"\xff\xff\xff\xd9"
    filled = files._replace(baseline=data)
    index = _native.make_index(data, 4)
    for box in ((0, 0, 64, 64), (40, 1, 60, 20), (3, 60, 9, 64)):
        assert check(filled, box) == {BY_MARKERS}
        assert check(filled, box, index) == {INDEXED}


def test_an_interval_longer_than_the_picture():
    files = pair("444", 64, 80, 0, 90, 1003)
    assert _native.info(files.baseline)[5] == 1003
    assert check(files, (20, 30, 70, 60)) == {BY_MARKERS}
    assert check(files, (20, 30, 70, 60), _native.make_index(files.baseline, 2)) == {INDEXED}


def test_what_follows_the_image_does_no_harm():
    for restart in (0, 4):
        files = pair("444", 64, 64, 9, 90, restart)
        tailed = files._replace(baseline=files.baseline + b"tail" + pair("420", 20, 20).baseline)
        check(tailed, (9, 9, 64, 64))


def test_markers_that_do_not_count_up_are_damage():
    data = bytearray(pair("444", 64, 64, 0, 90, 4).baseline)
    data[data.index(b"\xff\xd3") + 1] = 0xD5
    outcome, _ = drawn(bytes(data), (0, 0, 64, 64))
    assert outcome.status == "damaged"
    outcome, _ = drawn(bytes(data), (0, 0, 64, 8))  # is not reached
    assert (outcome.status, outcome.way) == ("", BY_MARKERS)


@pytest.mark.parametrize("restart", [0, 4])
@pytest.mark.parametrize("kind", ["grey", "444", "420"])
def test_files_of_which_a_part_is_missing(kind, restart):
    files = pair(kind, 64, 128, 0, 90, restart)
    start = files.baseline.index(b"\xff\xda") + 14
    for end in np.linspace(start, len(files.baseline) - 3, 40).astype(int):
        data = files.baseline[:end] + b"\xff\xd9"
        assert drawn(data, whole(files))[0].status == "damaged"
        top, pixels = drawn(data, (0, 0, 128, 2))
        if top.status == "":
            np.testing.assert_array_equal(pixels, drawn(files.progressive, (0, 0, 128, 2))[1])


@given(st.data(), kinds, st.sampled_from([0, 1, 4, 7]))
@settings(max_examples=300, deadline=None)
def test_damaged_files_never_do_more_than_be_refused(data, kind, restart):
    files = pair(kind, 64, 96, 3, 80, restart)
    made = bytearray(files.baseline)
    for at in data.draw(st.lists(st.integers(2, len(made) - 1), min_size=1, max_size=6)):
        made[at] = data.draw(st.sampled_from([0, 1, 0x7F, 0xFF]) | st.integers(0, 255))
    outcome, _ = drawn(bytes(made), data.draw(boxes(64, 96)), data.draw(st.sampled_from(SCALES)))
    assert outcome.status in ("", "damaged", "unsupported")


@pytest.mark.parametrize("table", ["over", "none", "twelve"])
def test_huffman_tables_that_are_none(table):
    data = bytearray(pair("grey", 64, 64).baseline)
    at = data.index(b"\xff\xc4")
    if table == "over":
        data[at + 5] = 3  # codes of one bit
        data[at + 6 : at + 21] = bytes([0, 9]) + bytes(13)
    elif table == "none":
        data[at + 4] = 1  # DC table 1, and the file asks for 0
    else:
        data[at + 4] = 0x0C
    outcome, _ = drawn(bytes(data), (0, 0, 64, 64))
    missing = table == "none"  # libjpeg has some of its own
    assert (outcome.status, outcome.way) == (("", PLAINLY) if missing else ("damaged", BY_WALKING))
    with pytest.raises(_native.JpegError, match="Huffman") as caught:
        _native.make_index(bytes(data), 1)
    assert caught.value.status == ("unsupported" if missing else "damaged")


def without_huffman_tables(data: bytes) -> bytes:
    while (at := data.find(b"\xff\xc4")) >= 0:
        data = data[:at] + data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") :]
    return data


def test_the_standard_tables_of_motion_jpeg_may_be_missing():
    data = pair("420", 64, 96).baseline
    outcome, pixels = drawn(without_huffman_tables(data), (3, 5, 90, 60))
    assert (outcome.status, outcome.way) == ("", PLAINLY)
    np.testing.assert_array_equal(pixels, drawn(data, (3, 5, 90, 60))[1])


@pytest.mark.parametrize("restart", [0, 6, 7])
@pytest.mark.parametrize("scale", SCALES)
def test_bits_that_are_no_code_are_damage(restart, scale):
    """libjpeg takes them for zeroes, and says so only near the end of its input."""
    data = pair("420", 160, 96, 0, 95, restart).baseline
    at = (data.index(b"\xff\xda") + len(data)) // 3
    while 0xFF in data[at : at + 8]:
        at += 1
    broken = data[:at] + b"\xff\0" * 4 + data[at + 8 :]  # ones only, which no code consists of
    outcome, _ = drawn(broken, (0, 0, 96, 160), scale)
    assert (outcome.status, outcome.way) == ("damaged", BY_MARKERS if restart else BY_WALKING)
    assert "no code" in outcome.text
    with pytest.raises(_native.JpegError, match="no code") as caught:
        _native.repack(broken, 4, True, True, True)
    assert caught.value.status == "damaged"


@pytest.mark.parametrize("selection", [b"\x01\x3f\0", b"\0\x05\0", b"\0\x3f\x10", b"\0\x3f\x01"])
def test_scans_of_a_part_of_the_coefficients_are_not_sequential(selection):
    data = bytearray(pair("420", 64, 96).baseline)
    at = data.index(b"\xff\xda")
    data[at + 11 : at + 14] = selection
    outcome, _ = drawn(bytes(data), (0, 0, 96, 64))
    assert (outcome.status, outcome.way) == ("unsupported", PLAINLY)
    for refused in (
        lambda: _native.repack(bytes(data), 4, True, True, True),
        lambda: _native.make_index(bytes(data), 1),
    ):
        with pytest.raises(_native.JpegError) as caught:
            refused()
        assert caught.value.status == "unsupported"


def test_more_pixels_than_bytes_for_them():
    data = pair("grey", 64, 64).baseline
    at = data.index(b"\xff\xc0")
    data = data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :]
    with pytest.raises(_native.JpegError, match="promised") as caught:
        _native.make_index(data, 1)
    assert caught.value.status == "damaged"


def test_progressive_files_have_no_index():
    with pytest.raises(_native.JpegError) as caught:
        _native.make_index(pair("420", 64, 64).progressive, 2)
    assert caught.value.status == "unsupported"
