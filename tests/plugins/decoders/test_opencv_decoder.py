from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import DecodeError, ParameterError
from leaven.protocols import Decoded, Region
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.decoders.opencv.headers import read_header

DECODER = OpenCVDecoder()
ORIENTED = {  # independent of OpenCV: what each orientation means, of the stored pixels
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}
STORED = {**ORIENTED, 6: ORIENTED[8], 8: ORIENTED[6]}  # the way back


def encode(extension, image, options=()):
    """Encode RGB(A) or grey pixels."""
    order = {3: [2, 1, 0], 4: [2, 1, 0, 3]}.get(image.shape[2] if image.ndim == 3 else 1)
    ok, data = cv2.imencode(extension, np.ascontiguousarray(image[:, :, order]) if order else image, list(options))
    assert ok
    return data.tobytes()


def smooth(height=120, width=90, channels=3):
    rows, columns = np.mgrid[0:height, 0:width]
    planes = [rows * 200 // height, columns * 250 // width, (rows + columns) % 256, 255 - columns]
    return np.stack(planes[:channels], axis=2).astype(np.uint8)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(height, width, depth, color, rows, extra=()):
    head = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def tiff(image, orientation=1, order="<"):
    """Write uncompressed RGB or grey of 8 bits."""
    height, width, channels = image.shape
    pixels = image.tobytes() + b"\0" * (image.size % 2)
    start = 8 + len(pixels)
    short, long = 3, 4
    tags = [
        (256, short, 1, width),
        (257, short, 1, height),
        (258, short, channels, 8 if channels == 1 else start + 2 + 12 * 10 + 4),
        (259, short, 1, 1),
        (262, short, 1, 2 if channels == 3 else 1),
        (273, long, 1, 8),
        (274, short, 1, orientation),
        (277, short, 1, channels),
        (278, short, 1, height),
        (279, long, 1, image.size),
    ]
    entries = b"".join(
        struct.pack(order + "HHI", tag, kind, count)
        + struct.pack(
            order + ("HH" if kind == short and count == 1 else "I"),
            *([value, 0] if kind == short and count == 1 else [value]),
        )
        for tag, kind, count, value in tags
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", start)
    directory = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", 0)
    return head + pixels + directory + struct.pack(order + "3H", 8, 8, 8)


def exif(orientation, order="<"):
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    return head + struct.pack(order + "HHHIHHI", 1, 274, 3, 1, orientation, 0, 0)


def with_exif(extension, image, block):
    """Encode, and put a block of EXIF where the format has its place for it."""
    data = encode(extension, image, [cv2.IMWRITE_WEBP_QUALITY, 101] if extension == ".webp" else [])
    if extension == ".jpg":
        block = b"Exif\0\0" + block
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]
    if extension == ".png":
        return data[:33] + chunk(b"eXIf", block) + data[33:]
    height, width = (size - 1 for size in image.shape[:2])
    head = struct.pack("<I", 10) + b"\x08\0\0\0" + width.to_bytes(3, "little") + height.to_bytes(3, "little")
    body = b"WEBPVP8X" + head + data[12:] + b"EXIF" + struct.pack("<I", len(block)) + block
    return b"RIFF" + struct.pack("<I", len(body)) + body


FILES = {
    "jpeg": encode(".jpg", smooth()),
    "jpeg grey": encode(".jpg", smooth(channels=1)),
    "jpeg progressive": encode(".jpg", smooth(), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "jpeg restarts": encode(".jpg", smooth(), [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
    "png": encode(".png", smooth()),
    "png alpha": encode(".png", smooth(channels=4)),
    "png grey": encode(".png", smooth(channels=1)),
    "png 16": encode(".png", smooth().astype(np.uint16) * 257),
    "png grey 16": encode(".png", smooth(channels=1).astype(np.uint16) * 257),
    "png bits": png(3, 16, 1, 0, b"\0\xaa\x55" * 3),
    "png palette": png(2, 3, 8, 3, b"\0\0\1\1" * 2, [(b"PLTE", bytes(range(6)))]),
    "png palette alpha": png(2, 3, 8, 3, b"\0\0\1\1" * 2, [(b"PLTE", bytes(range(6))), (b"tRNS", b"\0")]),
    "png transparent colour": png(2, 1, 8, 2, b"\0\1\2\3" * 2, [(b"tRNS", bytes([0, 1, 0, 2, 0, 3]))]),
    "png grey alpha": png(2, 1, 8, 4, b"\0\x50\x80" * 2),
    "bmp": encode(".bmp", smooth()),
    "bmp alpha": encode(".bmp", smooth(channels=4)),
    "bmp grey": encode(".bmp", smooth(channels=1)),
    "webp": encode(".webp", smooth(), [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "webp lossless": encode(".webp", smooth(), [cv2.IMWRITE_WEBP_QUALITY, 101]),
    "webp alpha": encode(".webp", smooth(channels=4), [cv2.IMWRITE_WEBP_QUALITY, 80]),
    "webp lossless alpha": encode(".webp", smooth(channels=4), [cv2.IMWRITE_WEBP_QUALITY, 101]),
    "tiff": encode(".tiff", smooth()),
    "tiff alpha": encode(".tiff", smooth(channels=4)),
    "tiff grey": encode(".tiff", smooth(channels=1)),
    "tiff 16": encode(".tiff", smooth().astype(np.uint16) * 257),
    "tiff big-endian": tiff(smooth(7, 4), order=">"),
    "one pixel": encode(".png", smooth(1, 1)),
}
if cv2.haveImageWriter(".gif"):
    FILES["gif"] = encode(".gif", smooth())
    FILES["gif transparent"] = encode(".gif", np.dstack([smooth(), np.tile([0, 255], (120, 45)).astype(np.uint8)]))


@pytest.mark.parametrize("name", FILES)
def test_the_header_is_right_about_the_pixels(name):
    info = DECODER.info(FILES[name])
    stored, color = DECODER.decode(FILES[name], color=False), DECODER.decode(FILES[name])
    assert stored.image.shape == info[:3]
    assert color.image.shape == (*info[:2], 3)
    assert color.image.dtype == np.uint8
    assert stored.region == color.region == Region(0, 0, *info[:2])
    assert stored.image.dtype == (np.uint16 if "16" in name else np.uint8)


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_are_rgb_and_exact(extension, channels):
    image = smooth(channels=channels)
    data = encode(extension, image)
    np.testing.assert_array_equal(DECODER.decode(data, color=False).image, image)
    expected = image[:, :, :3] if channels > 1 else np.repeat(image, 3, axis=2)
    np.testing.assert_array_equal(DECODER.decode(data).image, expected)


def test_palettes_are_expanded():
    colors = DECODER.decode(FILES["png palette"], color=False).image
    np.testing.assert_array_equal(colors[0], [[0, 1, 2], [3, 4, 5], [3, 4, 5]])


def test_sixteen_bits_are_kept_or_reduced():
    wide = smooth().astype(np.uint16) * 257
    np.testing.assert_array_equal(DECODER.decode(FILES["png 16"], color=False).image, wide)
    np.testing.assert_array_equal(DECODER.decode(FILES["png 16"]).image, smooth())
    floats = np.linspace(0, 1, 5 * 4 * 3, dtype=np.float32).reshape(5, 4, 3)
    np.testing.assert_array_equal(DECODER.decode(encode(".tiff", floats), color=False).image, floats)


@pytest.mark.parametrize("orientation", ORIENTED)
@pytest.mark.parametrize("extension", [".jpg", ".png", ".webp", ".tiff"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_applied(extension, orientation, order):
    image = smooth(48, 32)
    data = (
        tiff(image, orientation, order)
        if extension == ".tiff"
        else with_exif(extension, image, exif(orientation, order))
    )
    expected = ORIENTED[orientation](image)
    info = DECODER.info(data)
    assert info == (*expected.shape, orientation)
    for color in (True, False):
        decoded = DECODER.decode(data, color=color).image
        assert decoded.shape == expected.shape
        difference = np.abs(decoded.astype(int) - expected)
        assert difference.max() <= (24 if extension == ".jpg" else 0)
        assert difference.mean() < 2


@pytest.mark.parametrize("block", [b"", b"II*\0", exif(0), exif(9), b"II*\0" + b"\xff" * 40, b"rubbish"])
def test_broken_exif_is_no_orientation(block):
    assert DECODER.info(with_exif(".jpg", smooth(16, 8), block)) == (16, 8, 3, 1)


@pytest.mark.parametrize("orientation", ORIENTED)
def test_jpegs_are_reduced_as_far_as_asked(orientation):
    """Each pixel shows what lies around its middle, by region and scale."""
    rows, columns = np.mgrid[0:131, 0:77]
    image = ORIENTED[orientation](np.stack([rows, columns, np.zeros_like(rows)], axis=2).astype(np.uint8) + 40)
    data = with_exif(".jpg", STORED[orientation](image), exif(orientation))
    for asked, reduction in ((1, 1), (0.51, 1), (0.5, 2), (0.3, 2), (0.25, 4), (0.13, 4), (0.125, 8), (0.01, 8)):
        decoded, region, scale = DECODER.decode(data, min_scale=asked)
        assert scale == 1 / reduction
        assert decoded.shape[:2] == tuple(-(-length // reduction) for length in image.shape[:2])
        assert region[2:] == image.shape[:2]
        ys, xs = (np.arange(1, n - 1) + 0.5 for n in decoded.shape[:2])
        expected = image[np.ix_((region.top + ys / scale).astype(int), (region.left + xs / scale).astype(int))]
        assert np.abs(decoded[1:-1, 1:-1].astype(int) - expected)[:, :, :2].max() <= 5


def test_other_formats_are_not_reduced_and_regions_not_cut():
    decoded = DECODER.decode(FILES["png"], region=Region(3, 4, 10, 20), min_scale=0.1)
    assert isinstance(decoded, Decoded)
    assert (decoded.region, decoded.scale, decoded.image.shape) == (Region(0, 0, 120, 90), 1, (120, 90, 3))


def test_grey_jpegs_are_reduced_and_stay_grey():
    assert DECODER.decode(FILES["jpeg grey"], color=False, min_scale=0.5).image.shape == (60, 45, 1)
    assert DECODER.decode(FILES["jpeg grey"], min_scale=0.5).image.shape == (60, 45, 3)


def test_zero_bytes():
    for ask in (DECODER.info, DECODER.decode):
        with pytest.raises(DecodeError, match="0 bytes"):
            ask(b"")


def test_unknown_formats_are_named():
    with pytest.raises(DecodeError, match=r"unknown image format: 14 bytes that begin with 25 50 .* known: jpeg, png"):
        DECODER.info(b"%PDF-1.4 trash")


@pytest.mark.parametrize("kind", ["jpeg", "jpeg progressive", "jpeg restarts", "png", "webp"])
@pytest.mark.parametrize("part", [0.4, 0.7, 0.95])
def test_files_that_are_cut_off(kind, part):
    data = FILES[kind]
    with pytest.raises(DecodeError, match="cut off"):
        DECODER.decode(data[: int(len(data) * part)])


def test_a_thumbnails_end_is_not_the_files():
    """EXIF may hold a whole small JPEG; the file is cut off all the same."""
    data = with_exif(".jpg", smooth(), exif(1) + encode(".jpg", smooth(8, 8)))
    assert DECODER.decode(data).image.shape == (120, 90, 3)
    with pytest.raises(DecodeError, match="cut off"):
        DECODER.decode(data[:-100])


def test_bytes_after_the_end_do_no_harm():
    assert DECODER.decode(FILES["jpeg"] + b"\0" * 7).image.shape == (120, 90, 3)
    assert DECODER.decode(FILES["png"] + b"more").image.shape == (120, 90, 3)


def test_bombs_are_refused_by_their_header():
    """A few bytes that ask for 10 GB: refused before anything is allocated."""
    bomb = png(60_000, 60_000, 8, 2, b"")
    for ask in (DECODER.info, DECODER.decode):
        with pytest.raises(DecodeError, match=r"60000 x 60000 pixels is over the limit of 178956970"):
            ask(bomb)
    assert OpenCVDecoder(max_pixels=120 * 90).decode(FILES["png"]).image.shape == (120, 90, 3)
    with pytest.raises(DecodeError, match="over the limit of 10799"):
        OpenCVDecoder(max_pixels=120 * 90 - 1).info(FILES["png"])


def test_parameters_and_input_are_checked():
    with pytest.raises(ParameterError, match="max_pixels is 0"):
        OpenCVDecoder(max_pixels=0)
    with pytest.raises(DecodeError, match="not int"):
        DECODER.decode(5)
    assert DECODER.decode(memoryview(FILES["png"])).image.shape == (120, 90, 3)


def test_sizes_of_nothing():
    with pytest.raises(DecodeError, match="no pixels"):
        DECODER.info(png(0, 5, 8, 2, b""))


@pytest.mark.parametrize("name", FILES)
def test_every_truncation_is_an_error_or_an_image(name):
    """What a header parser reads beyond the end must not escape as another error."""
    data = FILES[name]
    for end in range(min(len(data), 80)):
        with pytest.raises(DecodeError):
            DECODER.decode(data[:end])


def test_mutated_files_are_an_error_or_an_image():
    random = np.random.default_rng(7)
    small = OpenCVDecoder(max_pixels=1_000_000)
    names, outcomes = list(FILES), {"error": 0, "image": 0}
    for attempt in range(300):
        data = bytearray(FILES[names[attempt % len(names)]])
        reach = len(data) if attempt % 2 else min(len(data), 60)  # half of them in the header
        for place in random.integers(0, reach, random.integers(1, 6)):
            data[place] = random.integers(0, 256)
        if attempt % 5 == 0:
            del data[random.integers(0, len(data)) :]
        try:
            info = small.info(bytes(data))
            decoded = small.decode(bytes(data), color=bool(attempt % 3), min_scale=random.choice([1, 0.3]))
        except DecodeError:
            outcomes["error"] += 1
        else:
            assert decoded.image.ndim == 3
            assert abs(decoded.image.shape[0] - info.height * decoded.scale) < 1
            outcomes["image"] += 1
    assert min(outcomes.values()) > 20


@given(
    st.binary(max_size=200),
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a", b"II*\0", b"MM\0*"]),
)
def test_any_header_is_an_error_or_a_size(data, signature):
    try:
        header = read_header(signature + data)
    except DecodeError:
        return
    assert header.height > 0
    assert header.width > 0
