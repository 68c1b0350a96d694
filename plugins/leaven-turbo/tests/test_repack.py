"""Repacking: the same coefficients and pixels, restart markers, the metadata that were asked for; or an error."""

from __future__ import annotations

import struct
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

native = pytest.importorskip("leaven_turbo._native")

SAMPLINGS = {name: getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{name}") for name in ("411", "420", "422", "440", "444")}
MCU_WIDTHS = {"411": 32, "420": 16, "422": 16, "440": 8, "444": 8}
EXIF = struct.pack(">2sHI", b"MM", 42, 8) + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, 6, 0, 0)


def picture(height, width, channels=3, seed=0):
    y, x = np.mgrid[:height, :width]
    layers = [x * 255 // width, y * 255 // height, (x + y) * 255 // (height + width)]
    noise = np.random.default_rng(seed).integers(-20, 20, (height, width, channels))
    return np.clip(np.stack(layers[:channels], -1) + noise, 0, 255).astype(np.uint8)


def encoded(image, quality=90, sampling="420", progressive=False, optimize=False, restart=0):
    params = {
        cv2.IMWRITE_JPEG_QUALITY: quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR: SAMPLINGS[sampling],
        cv2.IMWRITE_JPEG_PROGRESSIVE: progressive,
        cv2.IMWRITE_JPEG_OPTIMIZE: optimize,
        cv2.IMWRITE_JPEG_RST_INTERVAL: restart,
    }
    return cv2.imencode(".jpg", image, [int(part) for pair in params.items() for part in pair])[1].tobytes()


def decoded(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION)


def repack(data, interval=4, exif=True, icc=True, others=True):
    return native.repack(data, interval, exif, icc, others)


def segments(data):
    """Return marker and content of each segment up to the first scan."""
    found, position = [], 2
    while data[position + 1] != 0xDA:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        found.append((data[position + 1], data[position + 4 : position + 2 + length]))
        position += 2 + length
    return found


def with_segments(data, *added):
    """Put segments behind the JFIF header."""
    start = 4 + int.from_bytes(data[4:6], "big")
    parts = (struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content for marker, content in added)
    return data[:start] + b"".join(parts) + data[start:]


def interval_of(data):
    return next((int.from_bytes(content, "big") for marker, content in segments(data) if marker == 0xDD), 0)


def status_of(call):
    with pytest.raises(native.JpegError) as caught:
        call()
    return caught.value.status


@settings(deadline=None, max_examples=150)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 150),
    channels=st.sampled_from([1, 3]),
    quality=st.integers(1, 100),
    sampling=st.sampled_from(sorted(SAMPLINGS)),
    progressive=st.booleans(),
    optimize=st.booleans(),
    restart=st.integers(0, 9),
    interval=st.integers(1, 20),
)
def test_every_kind_of_file_stays_the_same_image(
    height, width, channels, quality, sampling, progressive, optimize, restart, interval
):
    image = picture(height, width, channels)
    data = encoded(image, quality, sampling, progressive, optimize, restart)
    made = repack(data, interval)
    assert native.same_coefficients(data, made) is True
    np.testing.assert_array_equal(decoded(made), decoded(data))
    row = -(-width // (MCU_WIDTHS[sampling] if channels == 3 else 8))
    assert interval_of(made) == max(n for n in range(1, interval + 1) if row % n == 0)
    assert [marker for marker, _ in segments(made) if 0xC0 <= marker <= 0xC2] == [0xC0]
    assert repack(made, interval) == made


def test_markers_cost_less_than_the_better_tables_save():
    data = encoded(picture(375, 500), quality=92)
    assert 0.9 < len(repack(data)) / len(data) < 1
    assert len(repack(data, 1)) / len(data) < 1.03


@pytest.mark.parametrize("keep", range(8))
def test_metadata_stay_or_go_as_asked(keep):
    exif, icc, others = bool(keep & 1), bool(keep & 2), bool(keep & 4)
    added = [
        (0xE1, b"Exif\0\0" + EXIF),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
        (0xE2, b"ICC_PROFILE\0\1\1profile"),
        (0xE2, b"MPF\0..."),
        (0xFE, b"a comment"),
    ]
    data = with_segments(encoded(picture(20, 30)), *added)
    made = repack(data, 4, exif, icc, others)
    wanted = [part for part, kept in zip(added, (exif, others, icc, others, others), strict=True) if kept]
    assert [part for part in segments(made) if part[0] in (0xE1, 0xE2, 0xFE)] == wanted
    assert segments(made)[0] == segments(data)[0], "JFIF, with its density"
    if exif:
        shown = cv2.imdecode(np.frombuffer(made, np.uint8), cv2.IMREAD_COLOR)
        assert shown.shape == (30, 20, 3), "orientation 6 turns it"


def test_colours_are_decided_as_before():
    plain = encoded(picture(24, 24), sampling="444")
    bare = plain[:2] + plain[4 + int.from_bytes(plain[4:6], "big") :]
    for transform in (0, 1):
        data = with_segments(plain, (0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, transform)))
        data = data[:2] + data[4 + int.from_bytes(data[4:6], "big") :]  # RGB by Adobe's marker alone, or YCbCr
        made = repack(data, 4, False, False, False)
        assert segments(made)[0][0] == 0xEE
        np.testing.assert_array_equal(decoded(made), decoded(data))
        assert np.array_equal(decoded(made), decoded(plain)) == bool(transform)
    made = repack(bare)
    assert 0xE0 not in [marker for marker, _ in segments(made)]
    np.testing.assert_array_equal(decoded(made), decoded(plain))


def four_components():
    """Return a CMYK file: the planes of a grey one, one after another, as scans of their own."""
    grey = encoded(picture(40, 56, 1))
    head = {marker: content for marker, content in segments(grey) if marker in (0xDB, 0xC0)}
    tables = b"".join(
        struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content
        for marker, content in segments(grey)
        if marker in (0xDB, 0xC4)
    )
    frame = head[0xC0][:5] + b"\4" + b"".join(bytes((n, 0x11, 0)) for n in (1, 2, 3, 4))
    scan = grey[grey.index(b"\xff\xda") + 10 : -2]
    scans = b"".join(b"\xff\xda\0\x08\x01" + bytes((n, 0, 0, 63, 0)) + scan for n in (1, 2, 3, 4))
    adobe = b"\xff\xee\0\x0eAdobe" + struct.pack(">HHHB", 100, 0, 0, 0)
    return b"\xff\xd8" + adobe + tables + b"\xff\xc0" + struct.pack(">H", 2 + len(frame)) + frame + scans + b"\xff\xd9"


def test_cmyk_in_several_scans():
    data = four_components()
    made = repack(data)
    assert native.same_coefficients(data, made)
    assert made.count(b"\xff\xda") == 1
    np.testing.assert_array_equal(decoded(made), decoded(data))


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 20, 200, 700, 1500, -3, -2, -1])
@pytest.mark.parametrize("progressive", [False, True])
def test_what_is_cut_off_is_refused(cut, progressive):
    data = encoded(picture(64, 64), progressive=progressive)
    assert status_of(lambda: repack(data[:cut])) == "damaged"
    assert status_of(lambda: native.same_coefficients(data, data[:cut])) == "damaged"


def test_damage_within_is_refused():
    data = encoded(picture(64, 64), restart=2)
    marker = data.index(b"\xff\xd1")
    assert status_of(lambda: repack(data[:marker] + b"\xff\xd5" + data[marker + 2 :])) == "damaged"
    assert status_of(lambda: repack(b"\x89PNG" + data)) == "damaged"


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_mutations_end_in_an_error_or_in_the_same_image(data):
    kind = data.draw(st.booleans())
    image = bytearray(encoded(picture(40, 56), progressive=kind, restart=0 if kind else 2))
    for _ in range(data.draw(st.integers(1, 6))):
        image[data.draw(st.integers(0, len(image) - 1))] = data.draw(st.integers(0, 255))
    try:
        made = repack(bytes(image))
    except native.JpegError as error:
        status, text = error.status, str(error)
    else:
        status, text = "same" if native.same_coefficients(bytes(image), made) else "changed", "-"
    assert status in ("same", "damaged", "unsupported")
    assert 0 < len(text) < 160


@pytest.mark.parametrize("sof", [0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF])
def test_other_processes_are_not_supported(sof):
    data = encoded(picture(16, 16))
    frame = data.index(b"\xff\xc0")
    assert status_of(lambda: repack(data[: frame + 1] + bytes([sof]) + data[frame + 2 :])) == "unsupported"


def test_12_bits_are_not_supported():
    data = bytearray(encoded(picture(16, 16)))
    data[data.index(b"\xff\xc0") + 4] = 12
    assert status_of(lambda: repack(bytes(data))) == "unsupported"


@pytest.mark.parametrize("size", [(65500, 65500), (8192, 8192), (65500, 2000)])
def test_no_memory_is_taken_for_pixels_that_a_file_cannot_hold(size):
    data = encoded(picture(16, 16))
    frame = data.index(b"\xff\xc0")
    assert status_of(lambda: repack(data[: frame + 5] + struct.pack(">HH", *size) + data[frame + 9 :])) == "damaged"


def test_a_great_many_scans_are_refused():
    data = four_components()
    scan = data[data.index(b"\xff\xda\0\x08\x01\x04") : -2]
    assert native.same_coefficients(repack(data[:-2] + scan * 400 + data[-2:]), data)
    with pytest.raises(native.JpegError, match="too many scans"):
        repack(data[:-2] + scan * 600 + data[-2:])


def with_factors(height, width, *factors):
    """Return a file of zeroes only, with these sampling factors."""
    data = bytearray(encoded(np.full((16, 16, 3), 128, np.uint8), sampling="444"))
    frame, scan = data.index(b"\xff\xc0"), data.index(b"\xff\xda")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    for number, factor in enumerate(factors):
        data[frame + 11 + 3 * number : frame + 13 + 3 * number] = bytes([factor, 0])
        data[scan + 6 + 2 * number] = 0x11  # both tables have codes of two bits for nothing
    across, down = (8 * max(part(factor) for factor in factors) for part in (lambda f: f >> 4, lambda f: f & 15))
    blocks = -(-width // across) * -(-height // down) * sum((factor >> 4) * (factor & 15) for factor in factors)
    return bytes(data[: scan + 14]) + bytes(blocks // 2) + b"\x0f" * (blocks % 2) + b"\xff\xd9"


@pytest.mark.parametrize(("size", "factor"), [((8192, 8), 0x14), ((8, 8192), 0x41), ((800, 800), 0x22)])
def test_another_sampling_of_any_component_is_a_difference(size, factor):
    """The blocks of the first component are others if the sampling factors of the second are."""
    one, other = with_factors(*size, 0x11, 0x11, 0x11), with_factors(*size, 0x11, factor, 0x11)
    assert native.same_coefficients(one, one) is native.same_coefficients(other, other) is True
    assert native.same_coefficients(one, other) is native.same_coefficients(other, one) is False


def test_what_follows_the_image_is_not_lost():
    data = encoded(picture(32, 32))
    film = data + b"\0\0ftyp a film"
    assert status_of(lambda: repack(film)) == "unsupported"
    assert repack(film, others=False) == repack(data, others=False)
    assert repack(data + bytes(100)) == repack(data)


def test_differences_are_seen():
    image = picture(48, 64)
    data = encoded(image)
    other = image.copy()
    other[47, 63] ^= 128
    for unlike in (
        encoded(image, quality=91),
        encoded(other),
        encoded(image, sampling="422"),
        encoded(image[..., 0]),
        encoded(image[:-1]),
        encoded(image[:, :-1]),
    ):
        assert native.same_coefficients(data, unlike) is False
    assert native.same_coefficients(data, encoded(image, progressive=True, optimize=True)) is True


def test_arguments_are_checked():
    data = encoded(picture(8, 8))
    for interval in (0, -1, 65536):
        with pytest.raises(ValueError, match="interval must be 1 to 65535"):
            repack(data, interval)
    with pytest.raises(TypeError, match="takes 5 arguments, not 2"):
        native.repack(data, 4)
    with pytest.raises(TypeError, match="must be True or False"):
        native.repack(data, 4, 1, True, True)
    with pytest.raises(TypeError):
        repack("text")
    with pytest.raises(TypeError):
        native.same_coefficients(data, None)
    assert repack(bytearray(data)) == repack(memoryview(data)) == repack(data)


def test_threads_do_not_disturb_each_other():
    files = [encoded(picture(100, 100, seed=n), progressive=n % 2 == 0) for n in range(8)]
    wanted = [repack(data) for data in files]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(repack, files * 10)) == wanted * 10
