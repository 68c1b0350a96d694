"""decoder:turbo against OpenCV and against itself: all ways to a part of a file give the same pixels."""

from __future__ import annotations

import copy

import cv2
import numpy as np
import pytest

import leaven
from leaven.errors import DecodeError, ParameterError
from leaven.protocols import DecodeRequest, Drawing, Drawn, Region
from leaven.testing import DecoderContract
from leaven.testing.tools import picture

native = pytest.importorskip("leaven_turbo._native", reason="leaven-turbo is not installed: make native")

SAMPLING = {"4:4:4": 0x111111, "4:2:2": 0x211111, "4:2:0": 0x221111, "4:1:1": 0x411111, "4:4:0": 0x121111}


def smooth(height, width, channels=3, seed=0):
    return cv2.GaussianBlur(picture(height, width, channels, seed), (0, 0), 3).reshape(height, width, channels)


def jpeg(image, *options):
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95, *options])[1].tobytes()


def turned(data, orientation):
    """Return the JPEG with a block of EXIF that says how it is to be turned."""
    entry = b"\x12\x01\x03\x00\x01\x00\x00\x00" + orientation.to_bytes(2, "little") + b"\0\0"
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + entry + b"\0\0\0\0"
    return data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:]


class TestJPEG(DecoderContract):
    spec = "decoder:turbo"
    encoded = [(jpeg(image), image) for image in (smooth(64, 48), smooth(33, 71), smooth(40, 40, 1))]
    tolerance = 7


class TestPNG(DecoderContract):
    spec = "decoder:turbo"


@pytest.fixture
def decoder():
    return leaven.create("decoder:turbo")


@pytest.fixture
def opencv():
    return leaven.create("decoder:opencv")


@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("size", [(64, 48), (61, 83), (8, 8), (1, 1), (17, 200)])
def test_pixels_are_those_of_opencv(decoder, opencv, sampling, size):
    data = jpeg(smooth(*size), cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING[sampling])
    ours, theirs = decoder.decode(data), opencv.decode(data)
    assert ours[1:] == theirs[1:]
    difference = np.abs(ours.image.astype(int) - theirs.image)
    # both upsample chroma linearly in both directions, but libjpeg only where the factor is 2
    assert difference.max() <= (2 if sampling in ("4:4:4", "4:2:0", "4:2:2") else 12)
    assert difference.mean() < 0.6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("min_scale", [1, 0.5, 0.25, 0.125])
def test_orientation_and_scale(decoder, opencv, orientation, min_scale):
    data = turned(jpeg(smooth(61, 83)), orientation)
    ours, theirs = decoder.decode(data, min_scale=min_scale), opencv.decode(data, min_scale=min_scale)
    assert ours[1:] == theirs[1:]
    assert ours.image.shape == theirs.image.shape
    assert np.abs(ours.image.astype(int) - theirs.image).max() <= 6
    assert decoder.info(data) == opencv.info(data)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("min_scale", [1, 0.5, 0.2])
def test_a_region_is_what_the_whole_has_there(decoder, orientation, min_scale):
    data = turned(jpeg(smooth(93, 130)), orientation)
    whole = decoder.decode(data, min_scale=min_scale)
    asked = Region(20, 31, 70, 77)
    part = decoder.decode(data, region=asked, min_scale=min_scale)
    assert part.scale == whole.scale
    assert part.region.top <= asked.top
    assert part.region.left <= asked.left
    assert part.region.bottom >= asked.bottom
    assert part.region.right >= asked.right
    top, left, bottom, right = (
        round((edge - start) * part.scale) for edge, start in zip(part.region, whole.region[:2] * 2, strict=True)
    )
    np.testing.assert_array_equal(part.image, whole.image[top:bottom, left:right])
    assert part.image.size < whole.image.size


FILES = {
    "ordinary": (),
    "optimised": (cv2.IMWRITE_JPEG_OPTIMIZE, 1),
    "restart markers": (cv2.IMWRITE_JPEG_RST_INTERVAL, 2),
    "odd restart markers": (cv2.IMWRITE_JPEG_RST_INTERVAL, 7),
    "a marker for each row": (cv2.IMWRITE_JPEG_RST_INTERVAL, 10),
    "4:2:2": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING["4:2:2"]),
    "4:4:4": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING["4:4:4"]),
    "4:1:1": (cv2.IMWRITE_JPEG_SAMPLING_FACTOR, SAMPLING["4:1:1"]),
    "progressive": (cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
}


def drawn(decoder, data, matrix, index=None, size=(40, 50), color=True):
    out = np.zeros((1, *size, 3 if color else 1), np.uint8)
    drawing = Drawing(DecodeRequest(data, color, index=index), np.array(matrix, float), 0, 0, 1, (9, 99, 199, 0))
    (result,) = decoder.draw_batch([drawing], out)
    assert isinstance(result, Drawn)
    return out[0], decoder.tally()


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("grey", [False, True])
def test_all_ways_give_the_same_pixels(decoder, kind, grey):
    """Of a file as it is, of the repacked one, with indices and without: bit by bit."""
    data = jpeg(smooth(167, 310, 1 if grey else 3), *FILES[kind])
    repacked = native.repack(data, 4, True, True, True)
    random = np.random.default_rng(3)
    ways = set()
    for _ in range(25):
        height, width = random.integers(3, 160), random.integers(3, 300)
        y, x = random.integers(-4, 167 - height // 2), random.integers(-4, 310 - width // 2)
        matrix = [[width / 50, 0, x], [0, height / 40, y]]
        if random.random() < 0.5:
            matrix[0] = [-width / 50, 0, x + width]
        forms = [(data, None), (repacked, None), (repacked, native.make_index(repacked, 4))]
        if kind not in ("progressive", "odd restart markers") and not (grey and "marker" in kind):
            forms.append((data, native.make_index(data, 3)))
        pictures = [drawn(decoder, *[form[0], matrix, form[1]], color=not grey) for form in forms]
        for pixels, counts in pictures:
            np.testing.assert_array_equal(pixels, pictures[0][0])
            ways |= set(counts)
    assert {"turbo: indexed", "turbo: by restart markers"} <= ways
    assert not {name for name in ways if "refused" in name or "left" in name}


def test_an_ordinary_file_is_walked(decoder):
    _, counts = drawn(decoder, jpeg(smooth(300, 400)), [[1, 0, 30], [0, 1, 40]])
    assert counts == {"turbo: by walking": 1}


def test_all_of_an_ordinary_file_is_walked(decoder):
    _, counts = drawn(decoder, jpeg(smooth(300, 400)), [[8, 0, 0], [0, 7.5, 0]])
    assert counts == {"turbo: by walking": 1}


@pytest.mark.parametrize(("kind", "way"), [("progressive", "plainly"), ("odd restart markers", "by restart markers")])
def test_which_way_other_files_go(decoder, kind, way):
    _, counts = drawn(decoder, jpeg(smooth(300, 400), *FILES[kind]), [[1, 0, 30], [0, 1, 40]])
    assert counts == {f"turbo: {way}": 1}


def test_an_index_of_another_file_is_refused(decoder):
    data, other = jpeg(smooth(100, 120)), jpeg(smooth(100, 120, seed=5))
    matrix = [[1, 0, 3], [0, 1, 4]]
    expected, _ = drawn(decoder, data, matrix)
    pixels, counts = drawn(decoder, data, matrix, native.make_index(other, 4))
    np.testing.assert_array_equal(pixels, expected)
    assert counts.pop("turbo: index refused") == 1
    assert sum(counts.values()) == 1


@pytest.mark.parametrize("at", [0, 3, 11, 40, -1])
def test_a_damaged_index_is_refused(decoder, at):
    data = jpeg(smooth(100, 120))
    index = bytearray(native.make_index(data, 4))
    index[at] ^= 0x15
    expected, _ = drawn(decoder, data, [[1, 0, 3], [0, 1, 4]])
    pixels, counts = drawn(decoder, data, [[1, 0, 3], [0, 1, 4]], bytes(index))
    np.testing.assert_array_equal(pixels, expected)
    assert counts["turbo: index refused"] == 1


def test_what_it_cannot_do_is_left_to_the_fallback_and_counted(decoder, opencv):
    data = jpeg(smooth(40, 50))
    sof = data.index(b"\xff\xc0")
    twelve = data[: sof + 1] + b"\xc1" + data[sof + 2 : sof + 4] + b"\x0c" + data[sof + 5 :]
    with pytest.raises(DecodeError):
        decoder.decode(twelve)
    assert sum(times for name, times in decoder.tally().items() if "left to the fallback" in name) == 1


def test_a_cut_off_file_is_an_error_in_any_region(decoder):
    data = jpeg(smooth(200, 200))
    with pytest.raises(DecodeError, match="cut off"):
        decoder.decode(data[:-400], region=Region(0, 0, 8, 8))


def test_tally_begins_anew(decoder):
    decoder.decode(jpeg(smooth(20, 20)))
    assert sum(decoder.tally().values()) == 1
    assert decoder.tally() == {}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_are_equal_and_count_for_themselves(decoder, copied):
    data = jpeg(smooth(20, 20))
    decoder.decode(data)
    other = copied(decoder)
    assert other == decoder
    np.testing.assert_array_equal(other.decode(data).image, decoder.decode(data).image)


def test_copies_begin_to_count_anew(decoder):
    decoder.decode(jpeg(smooth(20, 20)))
    other = copy.deepcopy(decoder)
    assert other.tally() == {}
    assert sum(decoder.tally().values()) == 1


def test_too_many_pixels(opencv):
    decoder = leaven.create("decoder:turbo", max_pixels=1000, fallback={"use": "opencv", "max_pixels": 1000})
    with pytest.raises(DecodeError, match="1000"):
        decoder.decode(jpeg(smooth(40, 40)))
    with pytest.raises(ParameterError, match="max_pixels"):
        leaven.create("decoder:turbo", max_pixels=0)


def test_auto_is_turbo_where_that_is_installed_and_not_blocked():
    from leaven.registry.registry import Registry

    assert type(leaven.create("decoder:auto")).__name__ == "TurboDecoder"
    assert type(Registry(block=["turbo"]).create("decoder:auto")).__name__ == "OpenCVDecoder"
    assert type(Registry(block=["decoder:turbo"]).create("decoder:auto")).__name__ == "OpenCVDecoder"


def test_over_the_limit_is_no_damage():
    small = leaven.create("decoder:turbo", max_pixels=1000)
    small.decode(jpeg(smooth(40, 40)))
    assert small.tally() == {"turbo: left to the fallback: unsupported": 1}


@pytest.mark.parametrize("params", [{"max_pixels": 1e6}, {"max_pixels": "5"}, {"max_pixels": 1 << 70}])
def test_limits_are_checked_at_once(params):
    with pytest.raises(ParameterError, match="max_pixels is"):
        leaven.create("decoder:turbo", **params)
