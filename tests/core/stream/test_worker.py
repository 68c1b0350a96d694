from __future__ import annotations

import numpy as np
import pytest

from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.stream.randomness import Streams
from leaven.stream.wire import pack_sample
from leaven.stream.worker import BufferWorker, Item, Request, Worker, single_batches


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


class Choosy(BufferWorker):
    """Does to each sample what it says: ``do``, after half of its row and one of its lists are there."""

    def __init__(self):
        self.add_buffer("value", ((2,), "int64", 5))

    def prepare(self, sample, row, buffers):
        buffers["value"][0] = row.index
        for _ in range(sample.get("early", 1)):
            row.append("early", row.index)
        if "do" in sample:
            sample["do"]()
        buffers["value"][1] = row.index
        if sample.get("late", True):
            row.append("late", row.key)


def raising(error):
    def do():
        raise error

    return {"do": do}


def tolerated(samples):
    """The batch, and the errors by row, of a request that goes on."""
    worker, rejected = Choosy(), {}
    asked = request(worker, samples)._replace(reject=rejected.__setitem__)
    return worker.process(asked), rejected


def test_a_row_that_fails_costs_no_other():
    batch, rejected = tolerated([{}, raising(ValueError("no")), b"\xc1", {}])
    assert batch["value"][[0, 3]].tolist() == [[0, 0], [3, 3]]
    assert batch["early"] == [0, None, None, 3]
    assert batch["late"] == ["k0", None, None, "k3"]
    assert {row: (error.index, error.stage, error.cause_type) for row, error in rejected.items()} == {
        1: (1, "prepare", "ValueError"),
        2: (2, "unpack", ""),
    }
    assert isinstance(rejected[1].__cause__, ValueError)


def test_a_list_that_appears_after_a_failure_is_aligned():
    batch, rejected = tolerated([raising(SampleError("no", stage="label")), {}, {}])
    assert batch["late"] == [None, "k1", "k2"]
    assert (rejected[0].index, rejected[0].key, rejected[0].stage) == (0, "k0", "label")


def test_a_batch_without_a_good_row_has_no_lists():
    batch, rejected = tolerated([raising(StopIteration()), raising(SystemExit(1)), raising(GeneratorExit())])
    assert set(batch) == {"value"}
    assert [error.cause_type for error in rejected.values()] == ["StopIteration", "SystemExit", "GeneratorExit"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_interrupts_and_a_lack_of_memory_are_not_sample_errors(error):
    with pytest.raises(error):
        tolerated([raising(error())])


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        ([{}, {"late": False}], "'late' has 0 entries of sample 1"),
        ([{"late": False}, {}], "'late' has 0 entries of sample 0"),
        ([{"early": 0}, {"early": 2}], "'early' has 0 entries of sample 0"),
        ([{"early": 2}, {"early": 2}], "'early' has 2 entries of sample 0"),
        ([raising(ValueError()), {}, {"early": 2}], "'early' has 2 entries of sample 2"),
    ],
)
def test_a_good_row_appends_once_to_each_list(samples, words):
    with pytest.raises(ParameterError, match=words):
        tolerated(samples)


def test_it_tells_what_it_is_on():
    told = []
    worker = Choosy()
    worker.process(request(worker, [{}, {}])._replace(doing=lambda index, stage: told.append((index, stage))))
    assert told == [(0, "prepare"), (1, "prepare")]


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
