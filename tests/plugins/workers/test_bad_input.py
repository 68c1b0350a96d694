"""Damaged and hostile files through every worker: an image or an error that names the sample, and nothing else."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest

from leaven.errors import SampleError
from leaven.testing.tools import picture, run_worker
from leaven_plugins.decoders.indices import IndexDecoder
from leaven_plugins.decoders.opencv import OpenCVDecoder
from leaven_plugins.workers.classification import ClassificationWorker
from leaven_plugins.workers.fcn import FCNWorker
from leaven_plugins.workers.saliency import SaliencyWorker
from leaven_plugins.workers.segmentation import SegmentationWorker
from leaven_plugins.workers.sequence import SequenceWorker

IMAGE = ((3, 24, 32), "uint8")
PLANE = ((24, 32), "float32")
LIMIT = 1 << 20  # pixels: a damaged header may ask for any size below the limit, which takes time


def workers(**limit):
    decoder = OpenCVDecoder(**limit)
    masks = IndexDecoder(decoder)
    plain = {"ops": (), "decoder": decoder}
    return {
        "classification": ClassificationWorker(IMAGE, **plain),
        "fcn": FCNWorker(IMAGE, ((1, 48, 64), "uint8"), target_image_params={"angle": 10, "color": False}, **plain),
        "segmentation": SegmentationWorker(IMAGE, ((24, 32), "int64"), target_decoder=masks, **plain),
        "saliency": SaliencyWorker(IMAGE, PLANE, image_params={"angle": 5}, **plain),
        "sequence": SequenceWorker(((2, *IMAGE[0]), "uint8"), **plain),
    }


def encoded(extension, image, *options):
    return cv2.imencode(extension, image, list(options))[1].tobytes()


def files():
    """Whole files of every format."""
    image = cv2.GaussianBlur(picture(40, 56), (0, 0), 1.5)
    return {
        "jpeg": encoded(".jpg", image),
        "progressive jpeg": encoded(".jpg", image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 4),
        "grey jpeg": encoded(".jpg", image[..., 0]),
        "png": encoded(".png", image),
        "grey png of 16 bits": encoded(".png", image[..., 0].astype(np.uint16) * 257),
        "png with alpha": encoded(".png", np.dstack([image, image[..., :1]])),
        "palette png": palette(image[..., 0] // 16),
        "webp": encoded(".webp", image, cv2.IMWRITE_WEBP_QUALITY, 80),
        "lossless webp": encoded(".webp", image, cv2.IMWRITE_WEBP_QUALITY, 101),
        "bmp": encoded(".bmp", image),
        "grey bmp": encoded(".bmp", image[..., 0]),
        "tiff": encoded(".tiff", image),
        "plain tiff": encoded(".tiff", image, cv2.IMWRITE_TIFF_COMPRESSION, 1),
        "gif": encoded(".gif", image),
    }


def palette(numbers):
    from zlib import compress, crc32

    height, width = numbers.shape
    rows = b"".join(b"\0" + row.tobytes() for row in numbers)
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(48)),
        (b"IDAT", compress(rows)),
        (b"IEND", b""),
    ]
    frame = struct.Struct(">I").pack
    chunks = (frame(len(data)) + name + data + frame(crc32(name + data)) for name, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


FILES = files()


def flipped(data, random):
    """Change up to eight bytes, mostly in the header."""
    changed = bytearray(data)
    for _ in range(int(random.integers(1, 9))):
        at = int(len(data) * random.random() ** 3)
        changed[at] = int(random.choice([0, 1, 127, 128, 255, int(random.integers(256))]))
    return bytes(changed)


def cut(data, random):
    return data[: int(random.integers(len(data)))]


def without_a_part(data, random):
    start, length = int(random.integers(len(data))), int(random.integers(1, 200))
    return data[:start] + data[start + length :]


def with_a_part_twice(data, random):
    start, length = int(random.integers(len(data))), int(random.integers(1, 200))
    return data[: start + length] + data[start:]


def with_noise(data, random):
    start, length = int(random.integers(len(data))), int(random.integers(1, 64))
    return data[:start] + random.bytes(length) + data[start + length :]


def spliced(data, random):
    other = FILES[str(random.choice(list(FILES)))]
    return data[: int(random.integers(len(data)))] + other[int(random.integers(len(other))) :]


MUTATIONS = (flipped, flipped, cut, without_a_part, with_a_part_twice, with_noise, spliced)


def mutated(seed):
    random = np.random.default_rng(seed)
    name = list(FILES)[seed % len(FILES)]
    data = FILES[name]
    for _ in range(1 + seed % 2):
        data = MUTATIONS[int(random.integers(len(MUTATIONS)))](data or b"\0", random)
    return data


def samples_with(data):
    """Samples in which ``data`` stands for the image, and for the mask; everything else is whole."""
    whole = FILES["png"]
    rest = {"key": "hurt", "label": 1, "experiments": [{"locations": [(3, 4), (20, 10)]}]}
    yield "classification", {**rest, "image": data}
    yield "fcn", {**rest, "image": data}
    yield "saliency", {**rest, "image": data}
    yield "segmentation", {**rest, "image": data, "label_image": FILES["palette png"]}
    yield "segmentation", {**rest, "image": whole, "label_image": data}
    yield "sequence", {**rest, "image": [whole, data]}


def survives(made, data):
    """Run everything; return how many samples became a row. The others raise an error that names them."""
    return sum(became_a_row(made[name], sample) for name, sample in samples_with(data))


def became_a_row(worker, sample):
    try:
        batch = run_worker(worker, [sample], [17])
    except SampleError as error:
        named = (error.index, error.key) == (17, "hurt") and "sample 17 (hurt): " in str(error)
        if not named or error.stage not in ("decode", "mask", "experiments", "prepare"):
            raise
        return False
    return len(batch["image"]) == 1


def check(seeds):
    made = workers(max_pixels=LIMIT)
    rows = sum(survives(made, mutated(seed)) for seed in seeds)
    assert 0.02 < rows / (6 * len(seeds)) < 0.8  # neither do all fail, nor is nothing found


def test_files_are_whole_before_they_are_hurt():
    made = workers()
    grey = ("palette png", "grey png of 16 bits", "grey jpeg", "grey bmp")
    for name, data in FILES.items():
        assert survives(made, data) == (6 if name in grey else 5), name  # a mask has no colours


def test_two_hundred_damaged_files():
    check(range(200))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_two_thousand_damaged_files(part):
    check(range(1000 + 200 * part, 1200 + 200 * part))


def huge(name, side):
    """A file that declares ``side`` x ``side`` pixels."""
    if name == "png":
        return FILES["png"][:16] + struct.pack(">II", side, side) + FILES["png"][24:]
    if name == "bmp":
        return FILES["bmp"][:18] + struct.pack("<ii", side, side) + FILES["bmp"][26:]
    if name == "gif":
        return FILES["gif"][:6] + struct.pack("<HH", side, side) + FILES["gif"][10:]
    at = FILES["jpeg"].index(b"\xff\xc0") + 5
    return FILES["jpeg"][:at] + struct.pack(">HH", side, side) + FILES["jpeg"][at + 4 :]


@pytest.mark.parametrize("name", ["jpeg", "png", "bmp", "gif"])
@pytest.mark.parametrize("side", [13_378, 65_000])
def test_bombs_are_refused_by_their_header(name, side, monkeypatch):
    """Over the default limit nothing is decoded, neither as an image nor as a mask."""
    made = workers()
    decoded = []
    plain = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda data, flags: (decoded.append(data), plain(data, flags))[1])
    bomb = huge(name, side)
    for worker, sample in samples_with(bomb):
        with pytest.raises(SampleError, match="over the limit of 178956970 pixels"):
            run_worker(made[worker], [sample])
    assert not any(data.tobytes() == bomb for data in decoded)


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF89a", b"II*\0", b"RIFF0000WEBP"]
)
def test_hardly_any_bytes(data):
    assert survives(workers(), data) == 0


@pytest.mark.parametrize("value", [None, 5, "text", [1, 2], {"a": 1}, np.zeros((4, 4, 3), np.float32)])
def test_what_is_no_file(value):
    made = workers()
    for name, sample in samples_with(value):
        with pytest.raises(SampleError, match="has to be"):
            run_worker(made[name], [sample])


def test_numbers_that_make_no_sense_name_the_sample():
    made = SaliencyWorker(IMAGE, PLANE, image_params={"scale": 0}, ops=(), decoder=OpenCVDecoder())
    with pytest.raises(SampleError, match=r"sample 3 \(hurt\): prepare failed: ImageError: scale is 0"):
        run_worker(made, [dict(samples_with(FILES["png"]))["saliency"]], [3])
