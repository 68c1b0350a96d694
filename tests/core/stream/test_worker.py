from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.stream.randomness import Streams
from leaven.stream.wire import pack_sample
from leaven.stream.worker import BufferWorker, Item, Request, Worker, failures_named, single_batches


class Scaled(BufferWorker):
    def __init__(self, factor=2, *, names=False, params=None):
        self.factor = factor
        self.names = names
        self.add_buffer("value", ((2,), "int64", 5))
        self.add_params("value", params, default={"offset": 1})

    def prepare(self, sample, row, buffers):
        if "value" not in sample:
            raise SampleError("no value", stage="look")
        buffers["value"][0] = sample["value"] * self.factor + self.params["value"]["offset"]
        if self.names:
            row.append("name", (row.index, row.epoch, row.key))


def request(worker, samples, epoch=0):
    items = [Item(index, epoch, f"k{index}", data) for index, data in enumerate(samples)]
    arrays = {key: spec.allocate(len(items)) for key, spec in worker.buffers.items()}
    return Request(0, iter(items), len(items), arrays, Streams(0))


def test_rows_are_filled_in_order_and_lists_are_aligned():
    worker = Scaled(names=True)
    batch = worker.process(request(worker, [{"value": 1}, pack_sample({"value": 4})], epoch=3))
    assert batch["value"].tolist() == [[3, 5], [9, 5]]
    assert batch["name"] == [(0, 3, "k0"), (1, 3, "k1")]


def test_a_samples_own_key_is_used_where_the_item_has_none():
    worker = Scaled(names=True)
    items = [Item(0, 0, "", {"key": "mine", "value": 1})]
    batch = worker.process(Request(0, items, 1, {"value": worker.buffers["value"].allocate(1)}, Streams(0)))
    assert batch["name"] == [(0, 0, "mine")]


def test_arguments_are_remembered_by_name():
    assert Scaled(3, names=True).arguments == {"factor": 3, "names": True}
    assert Scaled().arguments == {}


def test_params_replace_the_default_as_a_whole():
    assert Scaled().params == {"value": {"offset": 1}}
    assert Scaled(params={"offset": 7}).params == {"value": {"offset": 7}}


def test_a_bad_buffer_is_named():
    class Bad(BufferWorker):
        def __init__(self):
            self.add_buffer("image", "uint8")

    with pytest.raises(ParameterError, match="Bad: buffer 'image'"):
        Bad()


@pytest.mark.parametrize(
    ("sample", "stage", "words"),
    [
        ({"valu": 1}, "look", "no value"),
        ({"value": None}, "prepare", "TypeError"),
        (b"\xc1", "unpack", "malformed"),
        (b"", "unpack", "malformed"),
        (pack_sample({"value": 1})[:-1], "unpack", "cut off"),
    ],
)
def test_a_failing_row_names_its_sample(sample, stage, words):
    worker = Scaled()
    with pytest.raises(SampleError, match=words) as caught:
        worker.process(request(worker, [{"value": 1}, sample]))
    assert (caught.value.index, caught.value.key, caught.value.stage) == (1, "k1", stage)


def test_interrupts_are_not_sample_errors():
    with pytest.raises(KeyboardInterrupt), failures_named(Item(0, 0, "", b""), "x"):
        raise KeyboardInterrupt


def test_rows_randomness_is_that_of_their_cell():
    class Draws(BufferWorker):
        def __init__(self):
            self.add_buffer("draw", ((2,), "float64"))

        def prepare(self, sample, row, buffers):
            buffers["draw"][:] = row.random.random(), row.random_for("blur").random()

    worker = Draws()
    draws = worker.process(request(worker, [{}, {}]))["draw"]
    alone = Streams(0)
    expected = [[alone.at(op, 0, index).random() for op in ("", "blur")] for index in range(2)]
    np.testing.assert_array_equal(draws, expected)


def test_what_a_subclass_must_define_says_so():
    with pytest.raises(LeavenError, match="process"):
        Worker().process(request(Scaled(), []))
    with pytest.raises(LeavenError, match="prepare"):
        BufferWorker().process(request(Scaled(), [{}]))


def test_single_batches():
    assert list(single_batches(None)) == []
    assert list(single_batches({"a": 1})) == [{"a": 1}]
    assert list(single_batches(iter([{"a": 1}, {"b": 2}]))) == [{"a": 1}, {"b": 2}]
