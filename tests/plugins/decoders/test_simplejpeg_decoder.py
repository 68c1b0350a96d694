from __future__ import annotations

import cv2
import numpy as np
import pytest

import leaven
from leaven.errors import DecodeError
from leaven.protocols import Decoded, ImageInfo
from leaven.testing import DecoderContract
from leaven.testing.tools import picture

pytest.importorskip("simplejpeg", reason="simplejpeg is not installed")


def smooth(height, width, channels=3):
    return cv2.GaussianBlur(picture(height, width, channels), (0, 0), 4).reshape(height, width, channels)


def jpeg(image):
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()


class TestJPEG(DecoderContract):
    spec = "decoder:simplejpeg"
    encoded = [(jpeg(image), image) for image in (smooth(64, 48), smooth(33, 71), smooth(40, 40, 1))]
    tolerance = 6


class TestPNG(DecoderContract):
    spec = "decoder:simplejpeg"


@pytest.fixture
def decoder():
    return leaven.create("decoder:simplejpeg")


@pytest.mark.parametrize(("min_scale", "scale"), [(1, 1), (0.9, 1), (0.5, 0.5), (0.3, 0.375), (0.01, 0.125)])
def test_the_smallest_eighth_that_is_enough(decoder, min_scale, scale):
    image = smooth(160, 240)
    decoded = decoder.decode(jpeg(image), min_scale=min_scale)
    assert decoded.image.shape == (160 * scale, 240 * scale, 3)
    assert decoded.scale == scale
    reference = cv2.resize(image, decoded.image.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(decoded.image.astype(int) - reference).mean() < 3


@pytest.mark.parametrize("channels", [1, 3])
def test_it_agrees_with_opencv(decoder, channels):
    data = jpeg(smooth(100, 130, channels))
    for color in (True, False):
        ours = decoder.decode(data, color=color)
        theirs = leaven.create("decoder:opencv").decode(data, color=color)
        assert ours.image.shape == theirs.image.shape
        assert np.abs(ours.image.astype(int) - theirs.image).max() <= 4
        assert (ours.region, ours.scale) == (theirs.region, theirs.scale)


class Counting:
    def __init__(self, orientation=1):
        self.calls = 0
        self.orientation = orientation

    def info(self, data):
        return ImageInfo(64, 48, 3, self.orientation)

    def decode(self, data, *, color=True, region=None, min_scale=1.0):
        self.calls += 1
        return Decoded(np.zeros((64, 48, 3), np.uint8), (0, 0, 64, 48), 1.0)


@pytest.mark.parametrize(
    ("data", "orientation", "calls"),
    [(jpeg(smooth(64, 48)), 1, 0), (jpeg(smooth(64, 48)), 6, 1), (jpeg(smooth(64, 48))[:200], 1, 1), (b"GIF89a", 1, 1)],
)
def test_what_is_odd_is_left_to_the_fallback(data, orientation, calls):
    fallback = Counting(orientation)
    leaven.create("decoder:simplejpeg", fallback=fallback).decode(data)
    assert fallback.calls == calls


def test_a_damaged_file_is_an_error_that_says_what_is_wrong(decoder):
    with pytest.raises(DecodeError, match="cut off"):
        decoder.decode(jpeg(smooth(64, 48))[:-100])


def test_a_worker_takes_it_by_name():
    worker = leaven.create("worker:image", image=((3, 32, 32), "uint8"), decoder="simplejpeg")
    samples = [{"image": jpeg(smooth(80, 90))}]
    with leaven.TurboDataLoader(samples, 1, worker, nworkers=1) as loader:
        ((_, (sample,)),) = list(loader)
    other = leaven.create("worker:image", image=((3, 32, 32), "uint8"))
    with leaven.TurboDataLoader(samples, 1, other, nworkers=0) as loader:
        ((_, (expected,)),) = list(loader)
    assert np.abs(sample["image"].astype(int) - expected["image"]).mean() < 2
