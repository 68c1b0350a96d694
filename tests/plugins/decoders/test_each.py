"""The seam for decoders that take a whole batch."""

from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven.errors import DecodeError, SampleError
from leaven.testing.tools import picture, png, run_worker

SAMPLES = [{"key": f"image {n}", "image": png(picture(20 + n, 30))} for n in range(4)]


class Whole:
    """OpenCV, a batch at a time; fails at one of its images."""

    def __init__(self, bad=-1):
        self.inner = leaven.create("decoder:opencv")
        self.bad = bad
        self.batches = []

    def info(self, data):
        return self.inner.info(data)

    def decode(self, data, **wanted):
        raise AssertionError("the whole batch should have been asked for")

    def decode_batch(self, requests):
        self.batches.append(len(requests))
        for place, (data, color, region, min_scale) in enumerate(requests):
            if place == self.bad:
                raise DecodeError("it is damaged")
            yield self.inner.decode(data, color=color, region=region, min_scale=min_scale)


def images(decoder):
    worker = leaven.create("worker:image", image=((3, 16, 16), "uint8"), decoder=decoder)
    return run_worker(worker, SAMPLES)["image"]


def test_a_batch_is_decoded_as_one_and_gives_the_same_images():
    decoder = Whole()
    np.testing.assert_array_equal(images(decoder), images("opencv"))
    assert decoder.batches == [len(SAMPLES)]


def test_the_image_at_which_a_batch_fails_is_named():
    with pytest.raises(SampleError, match=r"image 2.*decode failed.*it is damaged"):
        images(Whole(bad=2))
