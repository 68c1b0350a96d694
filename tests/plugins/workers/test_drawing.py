"""Decoders that draw: a stand-in that draws by OpenCV's means, and says what it was asked for."""

from __future__ import annotations

import numpy as np
import pytest
from drawing_parts import Deadly, Listed

import leaven
from leaven.errors import DecodeError
from leaven.protocols import Drawn
from leaven.testing.tools import picture, png, run_worker
from leaven_plugins.decoders.each import decode_each, has_own_way
from leaven_plugins.decoders.opencv.decoder import OpenCVDecoder
from leaven_plugins.ops.rendering import view
from leaven_plugins.workers.image.worker import ImageWorker

SHAPE = (3, 20, 24)


class Drawing:
    """Draws what OpenCV renders, brighter by one, so that one sees who did it."""

    def __init__(self, wrong=None):
        self.inner = OpenCVDecoder()
        self.asked = []
        self.wrong = wrong

    def info(self, data):
        return self.inner.info(data)

    def decode(self, data, *, color=True, region=None, min_scale=1.0):
        self.asked.append(region)
        return self.inner.decode(data, color=color, region=region, min_scale=min_scale)

    def draw_batch(self, drawings, out, progress=None):
        if self.wrong is not None:
            return self.wrong(drawings)
        return [self.drawn(drawing, out) for drawing in drawings]

    def drawn(self, drawing, out):
        request = drawing.request
        if request.data[-1:] == b"?":
            return None
        try:
            decoded = self.inner.decode(request.data, color=request.color)
        except DecodeError as error:
            return error
        image = view(decoded, drawing.matrix, out.shape[1:3], drawing.interpolation, drawing.background[:3])
        out[drawing.row] = np.minimum(image, 254) + 1
        return Drawn(1000)


def samples(count=5):
    return [{"key": f"s{i}", "image": png(picture(60, 50, seed=i)), "label": i} for i in range(count)]


def worker(decoder, **params):
    params = {"image": (SHAPE, "uint8"), "ops": [], "image_rng": {"use": "random_resized_crop"}, **params}
    return leaven.create("worker:classification", decoder=decoder, **params)


def images(decoder, contents=None, **params):
    return run_worker(worker(decoder, **params), contents or samples(), seed=3)["image"]


def test_what_is_drawn_is_what_the_batch_holds():
    drawn, rendered = images(Drawing()), images(OpenCVDecoder())
    np.testing.assert_array_equal(drawn, np.minimum(rendered, 254) + 1)


def test_ops_go_on_from_what_was_drawn():
    params = {"image_params": {"blur": 0.1}, "ops": ["op:blur"]}
    drawn, rendered = images(Drawing(), **params), images(OpenCVDecoder(), **params)
    difference = drawn.astype(int) - rendered
    assert 0 <= difference.min() <= difference.max() <= 2
    assert difference.mean() > 0.5


@pytest.mark.parametrize(
    "params",
    [{"exact": True}, {"image_params": {"angle": 5}}, {"image": (SHAPE, "float32")}],
    ids=["exact", "angle", "floats"],
)
def test_what_cannot_be_drawn_is_decoded(params):
    decoder = Drawing()
    images(decoder, samples(2), **params)
    assert len(decoder.asked) == 2


def test_what_the_decoder_leaves_is_decoded():
    contents = samples(4)
    contents[2]["image"] += b"?"
    drawn, rendered = images(Drawing(), contents), images(OpenCVDecoder(), contents)
    np.testing.assert_array_equal(drawn[2], rendered[2])
    assert (drawn[[0, 1, 3]] != rendered[[0, 1, 3]]).any(axis=(1, 2, 3)).all()


def rejected(decoder, contents, **params):
    """Return the rows that were given up, with their errors."""
    found = {}
    run_worker(worker(decoder, **params), contents, seed=3, rejected=found)
    return {row: str(error) for row, error in found.items()}


def test_one_that_fails_costs_no_other():
    contents = samples(20)
    contents[17]["image"] = contents[17]["image"][:50]
    assert list(rejected(Drawing(), contents)) == [17]


def breaks(drawings):
    raise DecodeError("it is broken")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (breaks, "it is broken"),
        (lambda drawings: [], "the decoder gave 0 images of a batch of"),
        (lambda drawings: [Drawn(0)] * 40, "the decoder gave 40 images of a batch of"),
    ],
    ids=["raises", "too few", "too many"],
)
def test_a_decoder_that_does_it_wrong_is_named_in_each_row(wrong, text):
    found = rejected(Drawing(wrong), samples(3))
    assert list(found) == [0, 1, 2]
    assert all(text in error for error in found.values())


def test_memory_errors_pass():
    def out_of_memory(drawings):
        raise MemoryError

    with pytest.raises(MemoryError):
        images(Drawing(out_of_memory))


def test_a_background_that_does_not_fit_is_the_error_of_its_row():
    found = rejected(Drawing(), samples(2), image_params={"background": [1, 2]})
    assert list(found) == [0, 1]
    assert "background has 2 values" in found[0]


class Rendering(ImageWorker):
    """Has a geometry of its own."""

    def render(self, shot, decoded):
        return 255 - super().render(shot, decoded)


class Preparing(ImageWorker):
    """Fills row by row."""

    def prepare(self, sample, row, buffers):
        super().prepare(sample, row, buffers)


@pytest.mark.parametrize("kind", [Rendering, Preparing])
def test_subclasses_with_ways_of_their_own_are_not_drawn_for(kind):
    decoder = Drawing()
    made = kind((SHAPE, "uint8"), image_params={"scale": 6}, ops=(), decoder=decoder)
    found = run_worker(made, samples(2), seed=3)["image"]
    plain = run_worker(ImageWorker((SHAPE, "uint8"), {"scale": 6}, ops=(), decoder=OpenCVDecoder()), samples(2), seed=3)
    np.testing.assert_array_equal(found, 255 - plain["image"] if kind is Rendering else plain["image"])
    assert len(decoder.asked) == 2
    assert all(region.bottom - region.top < 40 for region in decoder.asked)


def test_workers_within_workers_ask_for_regions():
    decoder = Drawing()
    params = {"image_params": {"scale": 6}, "ops": [], "decoder": decoder}
    fcn = leaven.create("worker:fcn", image=(SHAPE, "uint8"), target_image=((3, 10, 12), "uint8"), **params)
    run_worker(fcn, samples(1), seed=3)
    sequence = leaven.create("worker:sequence", image=((1, *SHAPE), "uint8"), **params)
    run_worker(sequence, [{"key": "s", "image": [samples(1)[0]["image"]]}], seed=3)
    assert len(decoder.asked) == 2
    assert all(region.bottom - region.top < 40 for region in decoder.asked)


class Sized(ImageWorker):
    """Does not know of decoders."""

    def __init__(self, size=24):
        super().__init__(((3, size, size), "uint8"), ops=())


def test_a_subclass_that_does_not_take_a_decoder_has_opencvs_wherever_it_is_made():
    assert type(Sized()._decoder) is OpenCVDecoder


class Inverted(Drawing):
    """Overrides one way only."""

    def decode(self, data, **request):
        decoded = super().decode(data, **request)
        return decoded._replace(image=255 - decoded.image)


def test_a_decoder_that_overrides_decode_alone_means_all_images():
    assert has_own_way(Drawing(), "draw_batch")
    assert not has_own_way(Inverted(), "draw_batch")
    assert not has_own_way(OpenCVDecoder(), "draw_batch")
    assert np.abs(images(Inverted()) - (255.0 - images(OpenCVDecoder()))).max() <= 1
    (decoded,) = decode_each(Inverted(), [worker(OpenCVDecoder()).plan(samples(1)[0], _row()).request])
    assert decoded.image.dtype == np.uint8


def _row():
    from leaven.stream.randomness import Streams
    from leaven.stream.worker import Item, Row

    return Row(Item(0, 0, "", {}), Streams(0))


def test_a_foreign_field_of_the_indexs_name_is_left_alone():
    contents = [{**sample, "image_index": 7} for sample in samples(3)]
    np.testing.assert_array_equal(images(Drawing(), contents), images(Drawing(), samples(3)))


@pytest.mark.parametrize("ops", [[], ["op:blur"]])
def test_drawing_in_chunks_is_drawing_one_by_one(ops):
    contents = samples(40)
    params = {"image_params": {"blur": 0.1} if ops else {}, "ops": ops}
    with leaven.TurboDataLoader(Listed(contents), 40, worker(Drawing(), **params), nworkers=0, seed=3) as loader:
        ((_, (batch,)),) = list(loader)
        np.testing.assert_array_equal(batch["image"], images(Drawing(), contents, **params))


def test_a_worker_that_dies_while_a_decoder_draws_dies_of_the_sample_it_was_drawing():
    """Python does not see which one: the decoder has written it into the worker's line."""
    deadly = leaven.create(Deadly, kind="decoder", deadly=13)
    worker = {"use": "worker:image", "image": ((3, 8, 8), "uint8"), "ops": [], "decoder": deadly}
    contents = [{"key": f"k{index}", "image": b"pixels"} for index in range(24)]
    with leaven.TurboDataLoader(Listed(contents), 8, worker, nworkers=1, poison_after=1) as loader:
        (first, (batch,)) = next(iter(loader))
        assert (first, batch["image"][:, 0, 0, 0].tolist()) == (0, list(range(8)))
    with leaven.TurboDataLoader(Listed(contents), 8, worker, nworkers=1, poison_after=1) as loader:
        with pytest.raises(leaven.PoisonError, match=r"sample 13 \(k13\).*SIGKILL"):
            list(loader)
