"""The seam for decoders that take a whole batch."""

from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven.errors import DecodeError, SampleError
from leaven.protocols import DecodeRequest
from leaven.stream.randomness import Streams
from leaven.stream.worker import Item, Request
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.decoders.each import decode_each

SAMPLES = [{"key": f"image {n}", "image": png(picture(20 + n, 30))} for n in range(4)]


class Whole:
    """OpenCV, a batch at a time; ``bad`` says what becomes of images, by their places."""

    def __init__(self, bad=None):
        self.inner = leaven.create("decoder:opencv")
        self.bad = bad or {}
        self.batches = []

    def info(self, data):
        return self.inner.info(data)

    def decode(self, data, **wanted):
        raise AssertionError("the whole batch should have been asked for")

    def decode_batch(self, requests):
        self.batches.append(len(requests))
        for place, (data, color, region, min_scale, *_) in enumerate(requests):
            if place in self.bad:
                yield self.bad[place]()
            else:
                yield self.inner.decode(data, color=color, region=region, min_scale=min_scale)


def damaged():
    return DecodeError("it is damaged")


def broken():
    raise RuntimeError("it is broken")


def out_of_memory():
    raise MemoryError


class One:
    """OpenCV, an image at a time, that fails at some of them."""

    def __init__(self, bad):
        self.inner = leaven.create("decoder:opencv")
        self.bad = bad
        self.decoded = 0

    def info(self, data):
        return self.inner.info(data)

    def decode(self, data, **wanted):
        self.decoded += 1
        if self.decoded - 1 in self.bad:
            raise self.bad[self.decoded - 1]
        return self.inner.decode(data, **wanted)


def images(decoder):
    worker = leaven.create("worker:image", image=((3, 16, 16), "uint8"), decoder=decoder)
    return run_worker(worker, SAMPLES)["image"]


def test_a_batch_is_decoded_as_one_and_gives_the_same_images():
    decoder = Whole()
    np.testing.assert_array_equal(images(decoder), images("opencv"))
    assert decoder.batches == [len(SAMPLES)]


def failures(decoder):
    """The rows that came out right, and the messages of the others."""
    worker = leaven.create("worker:image", image=((3, 16, 16), "uint8"), decoder=decoder)
    items = [Item(place, 0, "", sample) for place, sample in enumerate(SAMPLES)]
    arrays = {key: spec.allocate(len(items)) for key, spec in worker.buffers.items()}
    rejected = {}
    batch = worker.process(Request(0, items, len(items), arrays, Streams(0), reject=rejected.__setitem__))
    right = [place for place in range(len(items)) if np.array_equal(batch["image"][place], images("opencv")[place])]
    assert [place for place, draw in enumerate(batch["augmentation"]) if draw is None] == sorted(rejected)
    return right, {place: (error.stage, error.cause_type, error.message) for place, error in rejected.items()}


def test_the_image_at_which_a_batch_fails_is_named():
    with pytest.raises(SampleError, match=r"image 2.*decode failed.*it is damaged"):
        images(Whole({2: damaged}))


@pytest.mark.parametrize("decoder", [Whole({0: damaged, 2: damaged}), One({0: damaged(), 2: damaged()})])
def test_an_image_that_fails_costs_no_other(decoder):
    error = ("decode", "DecodeError", "it is damaged")
    assert failures(decoder) == ([1, 3], {0: error, 2: error})


def test_a_decoder_that_breaks_costs_no_other_image():
    assert failures(One({1: RuntimeError("it is broken")})) == (
        [0, 2, 3],
        {1: ("decode", "RuntimeError", "it is broken")},
    )


def test_what_a_batch_raises_is_the_error_of_all_that_is_left():
    error = ("decode", "RuntimeError", "it is broken")
    assert failures(Whole({1: broken})) == ([0], {1: error, 2: error, 3: error})


def test_a_batch_that_ends_too_soon_says_so():
    class Short(Whole):
        def decode_batch(self, requests):
            yield from super().decode_batch(requests[:3])

    assert failures(Short()) == ([0, 1, 2], {3: ("decode", "DecodeError", "the decoder gave 3 images of a batch of 4")})


def test_nothing_is_decoded_before_it_is_asked_for():
    decoder = One({})
    decoded = decode_each(decoder, [DecodeRequest(sample["image"]) for sample in SAMPLES])
    assert decoder.decoded == 0
    next(decoded)
    assert decoder.decoded == 1


@pytest.mark.parametrize("decoder", [Whole({1: out_of_memory}), One({1: MemoryError()})])
def test_a_lack_of_memory_is_not_the_images_fault(decoder):
    with pytest.raises(MemoryError):
        images(decoder)
