"""Parts of a JPEG as files of their own: the pixels have to be those of the whole file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("leaven_turbo")
from leaven_turbo import _native

SAMPLINGS = {"444": (1, 1), "422": (2, 1), "420": (2, 2), "440": (1, 2), "411": (4, 1)}
FACTORS = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    "440": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440,
    "411": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411,
}
REACH = 2  # pixels that upsampled chroma looks beyond a cut
NARROW = 4  # pixels of width up to which libjpeg repeats chroma instead of interpolating it
kinds = st.sampled_from(["grey", *SAMPLINGS])
seeds = st.integers(0, 2**32 - 1)


class File(NamedTuple):
    """A JPEG, and the size of its MCUs."""

    data: bytes
    mcu: tuple[int, int]
    height: int
    width: int

    @property
    def mcus(self) -> tuple[int, int]:
        """Rows of MCUs, and MCUs in a row."""
        return -(-self.height // self.mcu[0]), -(-self.width // self.mcu[1])


def picture(height: int, width: int, seed: int) -> NDArray[np.uint8]:
    """Colours that change quickly in places and slowly in others."""
    random = np.random.default_rng(seed)
    coarse = cv2.resize(
        random.integers(0, 256, (5, 5, 3), dtype=np.uint8), (width, height), interpolation=cv2.INTER_CUBIC
    )
    grain = random.normal(0, random.choice([0.5, 6, 30]), (height, width, 3))
    return np.clip(coarse + grain, 0, 255).astype(np.uint8)


def jpeg(
    kind: str, height: int, width: int, seed: int = 0, quality: int = 90, restart: int = 0, optimize: bool = False
) -> File:
    image: Any = picture(height, width, seed)
    if kind == "grey":
        image = image[..., 0]
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_RST_INTERVAL, restart]
    options += [cv2.IMWRITE_JPEG_OPTIMIZE, int(optimize)]
    if kind != "grey":
        options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FACTORS[kind]]
    across, down = SAMPLINGS.get(kind, (1, 1))
    return File(cv2.imencode(".jpg", image, options)[1].tobytes(), (8 * down, 8 * across), height, width)


def decoded(data: bytes, flag: int = cv2.IMREAD_UNCHANGED) -> NDArray[Any]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flag)
    assert image is not None
    return image


def part_of(image: NDArray[Any], file: File, left: int, top: int, right: int, bottom: int) -> NDArray[Any]:
    down, across = file.mcu
    return image[top * down : bottom * down, left * across : right * across]


def without_edges(image: NDArray[Any], file: File, left: int, top: int, right: int, bottom: int) -> NDArray[Any]:
    """What no cut is near to; the borders of the whole image are none."""
    rows, columns = file.mcus
    return image[
        REACH if top else 0 : image.shape[0] - (REACH if bottom < rows else 0),
        REACH if left else 0 : image.shape[1] - (REACH if right < columns else 0),
    ]


def check(file: File, box: tuple[int, int, int, int], index: bytes | None, exact: bool) -> bytes:
    made = _native.splice(file.data, *box, index)
    assert _native.same_coefficients(made, made)  # which refuses what libjpeg warns of
    for flag in (cv2.IMREAD_GRAYSCALE, cv2.IMREAD_UNCHANGED):
        whole, part = part_of(decoded(file.data, flag), file, *box), decoded(made, flag)
        assert part.shape == whole.shape
        if flag == cv2.IMREAD_UNCHANGED and not exact:
            if part.shape[1] <= NARROW:
                continue
            whole, part = without_edges(whole, file, *box), without_edges(part, file, *box)
        np.testing.assert_array_equal(part, whole)
    return made


def outcome(attempt: Callable[[], bytes]) -> str:
    try:
        return "made" if attempt() else "nothing"
    except _native.JpegError as error:
        return str(error.status)
    except ValueError:
        return "argument"


@st.composite
def boxes(draw: st.DrawFn, rows: int, columns: int, step: int = 1) -> tuple[int, int, int, int]:
    left = draw(st.integers(0, columns // step - 1)) * step
    right = draw(st.integers(left // step + 1, columns // step)) * step
    top = draw(st.integers(0, rows - 1))
    return left, top, right, draw(st.integers(top + 1, rows))


@given(st.data(), kinds, st.integers(1, 150), st.integers(1, 150), st.integers(5, 100), st.booleans(), seeds)
@settings(max_examples=150, deadline=None)
def test_walked_files(data, kind, height, width, quality, optimize, seed):
    file = jpeg(kind, height, width, seed, quality, optimize=optimize)
    box = data.draw(boxes(*file.mcus))
    check(file, box, None, kind in ("444", "grey", "411"))


@given(st.data(), kinds, st.integers(1, 150), st.integers(1, 150), st.integers(1, 5), st.booleans(), seeds)
@settings(max_examples=100, deadline=None)
def test_walked_files_with_an_index_give_the_same_bytes_as_without(data, kind, height, width, interval, optimize, seed):
    file = jpeg(kind, height, width, seed, optimize=optimize)
    rows, columns = file.mcus
    step = max(n for n in range(1, min(interval, columns) + 1) if columns % n == 0)
    box = data.draw(boxes(rows, columns, step))
    index = _native.make_index(file.data, interval)
    assert _native.splice(file.data, *box, index) == _native.splice(file.data, *box)


@given(st.data(), kinds, st.integers(1, 150), st.integers(1, 150), st.integers(1, 6), seeds)
@settings(max_examples=100, deadline=None)
def test_files_with_restart_markers_within_rows(data, kind, height, width, restart, seed):
    file = jpeg(kind, height, width, seed, restart=restart)
    rows, columns = file.mcus
    assume(columns % restart == 0)
    box = data.draw(boxes(rows, columns, restart))
    exact = kind in ("444", "grey", "411")
    made = check(file, box, None, exact)
    assert made == check(file, box, _native.make_index(file.data, 1), exact)


@pytest.mark.parametrize("rows_apart", [2, 3])
@pytest.mark.parametrize("kind", ["grey", "444", "420"])
def test_files_with_restart_markers_between_rows_are_walked(kind, rows_apart):
    columns = -(-100 // (16 if kind == "420" else 8))
    file = jpeg(kind, 161, 100, restart=rows_apart * columns)
    assert b"\xff\xdd" in file.data
    assert _native.info(file.data)[5] == rows_apart * columns
    for box in ((0, 0, columns, 11), (1, 3, 4, 8), (0, 1, 1, 2), (2, 9, columns, 11)):
        check(file, box, None, kind != "420")
    with pytest.raises(_native.JpegError, match="restart markers") as caught:
        _native.make_index(file.data, 2)
    assert caught.value.status == "unsupported"


def test_restart_markers_that_do_not_fit_into_rows_are_not_supported():
    file = jpeg("444", 64, 80, restart=3)
    for refused in (lambda: _native.splice(file.data, 0, 0, 3, 2), lambda: _native.make_index(file.data, 2)):
        with pytest.raises(_native.JpegError) as caught:
            refused()
        assert caught.value.status == "unsupported"


def test_one_interval_for_all_of_the_file_is_as_none():
    file = jpeg("444", 64, 80, restart=1003)
    assert _native.info(file.data)[5] == 1003
    check(file, (2, 3, 7, 6), None, True)
    check(file, (2, 3, 8, 6), _native.make_index(file.data, 2), True)


@pytest.mark.parametrize("factors", [0x21, 0x12, 0x22, 0x41, 0x44])
def test_sampling_factors_mean_nothing_to_a_file_of_one_component(factors):
    file = jpeg("grey", 70, 90, seed=3)
    at = file.data.index(b"\xff\xc0")
    data = file.data[: at + 11] + bytes([factors]) + file.data[at + 12 :]
    np.testing.assert_array_equal(decoded(data), decoded(file.data))
    check(file._replace(data=data), (3, 2, 9, 7), None, True)


def test_a_file_in_rgb_stays_one():
    file = jpeg("444", 40, 56, seed=4)
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\0\0\0\0\0"
    start = file.data.index(b"\xff\xdb")
    data = b"\xff\xd8" + adobe + file.data[start:]
    assert (decoded(data) != decoded(file.data)).any()
    made = check(file._replace(data=data), (1, 1, 5, 4), None, True)
    assert adobe in made


def test_optimised_tables_get_the_codes_that_a_cut_needs():
    """In a slope no block differs much from the one before, but one with nothing before it does."""
    slope = np.tile(np.linspace(100, 255, 256).astype(np.uint8), (64, 1))
    data = cv2.imencode(".jpg", slope, [cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    made = check(File(data, (8, 8), 64, 256), (30, 2, 32, 5), None, True)
    counts = [sum(file[file.index(b"\xff\xc4") + 5 :][:16]) for file in (data, made)]
    assert counts[0] < counts[1] == 12


def test_only_what_decoding_needs_is_taken_along():
    file = jpeg("420", 160, 160)
    extra = b"\xff\xe1\x00\x0aprivate.\xff\xfe\x00\x07notes" + b"\xff\xe2\xff\xff" + bytes(65533)
    data = file.data[:2] + extra + file.data[2:]
    made = _native.splice(data, 2, 2, 4, 4)
    assert made == _native.splice(file.data, 2, 2, 4, 4)
    assert made.startswith(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    assert made.endswith(b"\xff\xd9")
    assert len(made) < 3000


def test_what_follows_the_image_does_no_harm():
    file = jpeg("444", 64, 64, seed=9)
    doubled = file.data + jpeg("444", 32, 32).data
    assert _native.splice(doubled, 1, 1, 6, 6) == _native.splice(file.data, 1, 1, 6, 6)
    marked = jpeg("444", 64, 64, seed=9, restart=4)
    assert _native.splice(marked.data + b"tail", 4, 1, 8, 6) == _native.splice(marked.data, 4, 1, 8, 6)


def test_fill_bytes_before_markers():
    file = jpeg("444", 64, 64, seed=5, restart=4)
    marker = file.data.index(b"\xff\xd2")
    data = file.data[:marker] + b"\xff\xff" + file.data[marker:-2] + b"\xff\xff\xff\xd9"
    for box in ((0, 0, 8, 8), (4, 0, 8, 3), (0, 7, 8, 8)):
        check(file._replace(data=data), box, None, True)


@pytest.mark.parametrize("box", [(0, 0, 9, 1), (0, 0, 1, 9), (3, 0, 3, 2), (3, 2, 5, 2), (5, 0, 4, 2)])
def test_boxes_that_lie_beyond_or_hold_nothing(box):
    file = jpeg("444", 64, 64)
    for index in (None, _native.make_index(file.data, 1)):
        with pytest.raises(ValueError, match="MCUs"):
            _native.splice(file.data, *box, index)


def test_boxes_that_do_not_lie_on_segments():
    file = jpeg("444", 64, 64, restart=4)
    for box in ((1, 0, 8, 2), (0, 0, 3, 2)):
        with pytest.raises(ValueError, match="segments of 4"):
            _native.splice(file.data, *box)


@pytest.mark.parametrize("box", [(-1, 0, 1, 1), (0, 0, 1, 70000), (2**70, 0, 1, 1)])
def test_numbers_that_are_none_of_mcus(box):
    with pytest.raises((ValueError, OverflowError)):
        _native.splice(jpeg("444", 64, 64).data, *box)


@pytest.mark.parametrize("restart", [0, 4])
@pytest.mark.parametrize("kind", ["grey", "444", "420"])
def test_files_that_are_cut_off(kind, restart):
    file = jpeg(kind, 64, 128, restart=restart)
    rows, columns = file.mcus
    start = file.data.index(b"\xff\xda")
    for end in range(start, len(file.data) - 3, 97):
        with pytest.raises(_native.JpegError) as caught:
            _native.splice(file.data[:end], 0, 0, columns, rows)
        assert caught.value.status == "damaged"


def test_a_row_that_is_not_needed_may_be_damaged():
    file = jpeg("444", 64, 64)
    end = len(file.data) // 4 * 3
    assert _native.splice(file.data[:end] + b"\xff\xd9", 0, 0, 8, 2) == _native.splice(file.data, 0, 0, 8, 2)


@given(st.data(), st.sampled_from(["grey", "444", "420"]), st.sampled_from([0, 1, 2, 8]), st.booleans())
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_changed_bytes_never_do_more_than_raise(data, kind, restart, optimize):
    file = jpeg(kind, 61, 64, restart=restart, optimize=optimize)
    made = bytearray(file.data)
    for at in data.draw(st.lists(st.integers(2, len(made) - 1), min_size=1, max_size=6)):
        made[at] = data.draw(st.sampled_from([0, 1, 0x11, 0xD0, 0xD9, 0xFF]) | st.integers(0, 255))
    if data.draw(st.booleans()):
        del made[data.draw(st.integers(2, len(made))) :]
    rows, columns = file.mcus
    box = data.draw(boxes(rows, columns))
    for attempt in (lambda: _native.splice(bytes(made), *box), lambda: _native.make_index(bytes(made), 2)):
        assert outcome(attempt) in ("made", "damaged", "unsupported", "index", "argument")


@pytest.mark.parametrize("table", ["over", "none", "twelve"])
def test_tables_that_are_none(table):
    file = jpeg("grey", 64, 64)
    data = bytearray(file.data)
    at = data.index(b"\xff\xc4")
    if table == "over":
        data[at + 5] = 3  # codes of one bit
        data[at + 6 : at + 21] = bytes([0, 9]) + bytes(13)
    elif table == "none":
        data[at + 4] = 1  # DC table 1, and the file asks for 0
    else:
        data[at + 4] = 0x0C
    with pytest.raises(_native.JpegError, match="Huffman") as caught:
        _native.splice(bytes(data), 0, 0, 4, 4)
    assert caught.value.status == "damaged"


def test_more_pixels_than_bytes_for_them():
    file = jpeg("grey", 64, 64)
    at = file.data.index(b"\xff\xc0")
    data = file.data[: at + 5] + b"\xff\xff\xff\xff" + file.data[at + 9 :]
    for attempt in (lambda: _native.splice(data, 0, 0, 4, 4), lambda: _native.make_index(data, 1)):
        with pytest.raises(_native.JpegError, match="promised") as caught:
            attempt()
        assert caught.value.status == "damaged"


def test_progressive_files_are_not_for_splicing():
    image = picture(64, 64, 1)
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    for attempt in (lambda: _native.splice(data, 0, 0, 1, 1), lambda: _native.make_index(data, 2)):
        with pytest.raises(_native.JpegError) as caught:
            attempt()
        assert caught.value.status == "unsupported"


def test_the_number_of_arguments_and_their_types():
    data = jpeg("grey", 16, 16).data
    for arguments in ((), (data,), (data, 0, 0, 1, 1, None, None), (data, "0", 0, 1, 1), ("text", 0, 0, 1, 1)):
        with pytest.raises(TypeError):
            _native.splice(*arguments)
    assert _native.splice(memoryview(data), 0, 0, 1, 1) == _native.splice(bytearray(data), 0, 0, 1, 1, None)
