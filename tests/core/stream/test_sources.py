from __future__ import annotations

import pytest

from leaven.errors import ParameterError, SampleError, StateError
from leaven.stream.order import Order
from leaven.stream.schedule import Progress
from leaven.stream.sources import Requests, Walk, has_positions, packed, source_of
from leaven.stream.wire import unpack_sample
from leaven_plugins.samplers.sequential.sampler import Sequential


class Files:
    def __len__(self):
        return 3

    def sample(self, index):
        return {"value": index}


def source(data, readable=False):
    order = Order.of(Sequential(), data, 0) if has_positions(data) else None
    return source_of(data, order, readable, window=10, rows=4, endless=False)


def taken(source, start, stop):
    return source.stretch([(start, source.reach(stop))], stop - start)


def test_what_workers_can_read_travels_as_positions():
    found = source(Files(), readable=True).stretch([(2, 5)], 4)
    assert (found.position, found.rows, found.epochs, found.indices, found.items) == (2, 4, [0, 1, 1], [2, 0, 1], None)
    assert found.rejected == []


@pytest.mark.parametrize("data", [Files(), [{"value": n} for n in range(3)], tuple({"value": n} for n in range(3))])
def test_what_they_cannot_read_is_packed_here(data):
    found = source(data).stretch([(1, 3), (3, 4)], 3)
    assert (found.position, found.epochs, found.indices) == (1, [0, 0, 1], [1, 2, 0])
    assert [unpack_sample(item)["value"] for item in found.items] == [1, 2, 0]


def test_what_cannot_be_read_here_is_rejected_by_row():
    class Holes(Files):
        def sample(self, index):
            if index == 1:
                raise OSError("a hole")
            return {"value": index}

    found = source(Holes()).stretch([(0, 3)], 3)
    ((row, fields),) = found.rejected
    assert (row, fields["index"], fields["stage"], fields["cause_type"]) == (1, 1, "read", "OSError")
    assert [unpack_sample(item)["value"] for item in (found.items[0], found.items[2])] == [0, 2]


def test_requests_say_themselves_what_a_batch_is_of():
    class Own:
        def yield_requests(self):
            yield [{"n": 5}, {"n": 6}]
            yield [{"n": 7}]

    first, second = source(Own()).stretches(Progress(epoch=3, origin=40), parts=2)
    assert (first.position, first.rows, first.epochs, first.indices, first.final) == (40, 2, [3, 3], [0, 1], False)
    assert (second.position, second.indices, second.final, second.ordinal) == (44, [2], True, 1)
    assert numbers(first) + numbers(second) == [5, 6, 7]


def test_requests_of_positions():
    class Own(Files):
        def yield_requests(self):
            yield [2, 0]

    (found,) = source(Own()).stretches(Progress(), parts=1)
    assert found.indices == [2, 0]
    assert [unpack_sample(item)["value"] for item in found.items] == [2, 0]
    with pytest.raises(ParameterError, match="a request of 2 samples; expected 1 to 1"):
        list(Requests(Own(), 1).stretches(Progress(), 1))


def numbers(stretch):
    return [unpack_sample(item)["n"] for item in stretch.items]


def walk(count, once=False, window=10, endless=False):
    samples = [{"n": n} for n in range(count)]
    return Walk(iter(samples) if once else _Again(samples), window, endless)


def begin(source, position, skip, length=None, epoch=0):
    source.begin(epoch, position, skip, source.flows(length))


class _Again:
    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        return iter(self.samples)


def test_an_iterable_is_walked_from_its_start_in_each_epoch():
    source = walk(5)
    begin(source, 0, 0)
    assert numbers(taken(source, 0, 3)) == [0, 1, 2]
    assert numbers(taken(source, 3, 6)) == [3, 4]
    begin(source, 20, 0, epoch=1)
    again = taken(source, 20, 23)
    assert numbers(again) == [0, 1, 2]
    assert again.epochs == [1, 1, 1]


def test_with_a_length_it_flows_on():
    source = walk(3)
    begin(source, 0, 0, length=4)
    assert numbers(taken(source, 0, 4)) == [0, 1, 2, 0]
    begin(source, 4, 0, length=4)
    found = taken(source, 4, 8)
    assert numbers(found) == [1, 2, 0, 1]
    assert found.epochs == [1, 1, 2, 2]


def test_an_iterator_keeps_what_was_read_but_not_delivered():
    source = walk(8, once=True)
    begin(source, 0, 0)
    taken(source, 0, 6)
    begin(source, 2, 0)
    assert numbers(taken(source, 2, 8)) == [2, 3, 4, 5, 6, 7]
    assert numbers(taken(source, 8, 9)) == []


def test_no_more_is_kept_than_the_window():
    source = walk(10_000, once=True, window=7)
    begin(source, 0, 0)
    for start in range(0, 9_000, 3):
        taken(source, start, start + 3)
    assert len(source._kept) == 7
    assert numbers(taken(source, 8_995, 9_001)) == list(range(8_995, 9_001))


def test_resuming_skips():
    source = walk(9)
    begin(source, 4, 4)
    assert numbers(taken(source, 4, 7)) == [4, 5, 6]
    source = walk(9, once=True)
    begin(source, 4, 0)
    assert numbers(taken(source, 4, 7)) == [4, 5, 6]


def test_an_empty_iterable_with_a_length_ends():
    source = walk(0)
    begin(source, 0, 0, length=5)
    assert numbers(taken(source, 0, 5)) == []


def test_an_endless_epoch_goes_on_across_the_passes():
    source = walk(3, endless=True)
    begin(source, 0, 0)
    assert numbers(taken(source, 0, 4)) == [0, 1, 2, 0]
    assert source.ended is None


def test_where_the_samples_ended_is_told_until_they_go_on():
    source = walk(3, once=True)
    begin(source, 0, 0)
    taken(source, 0, 3)
    assert source.ended is None
    taken(source, 3, 4)
    assert source.ended == 3
    begin(source, 3, 0)
    assert source.ended is None


def test_going_back_further_than_the_window():
    source = walk(20, window=2)
    for start in range(0, 16, 2):
        begin(source, start, 0, length=2)
        taken(source, start, start + 2)
    begin(source, 2, 0, length=2)
    assert numbers(taken(source, 2, 4)) == [2, 3]
    source = walk(20, once=True, window=2)
    begin(source, 10, 0)
    with pytest.raises(StateError, match="sample 2 of the stream has been read, and so have all up to 10"):
        begin(source, 2, 0)


def test_what_a_walk_cannot_pack_is_rejected_by_row():
    source = Walk(iter([{"n": 0}, {"key": "bad", "n": object()}, {"n": 2}]), 10, False)
    begin(source, 0, 0)
    found = taken(source, 0, 3)
    ((row, fields),) = found.rejected
    assert (row, fields["index"], fields["key"], fields["stage"]) == (1, 1, "bad", "pack")
    assert (found.items[1], found.indices) == (b"", [0, 1, 2])


@pytest.mark.parametrize("data", ["text", b"bytes", {"a": 1}, 3, None])
def test_what_is_no_source_says_so(data):
    with pytest.raises(ParameterError, match="neither a dataset"):
        has_positions(data)


def test_packing():
    assert packed(b"x", 0) == b"x"
    assert packed(bytearray(b"x"), 0) == b"x"
    assert unpack_sample(packed({"a": 1}, 0)) == {"a": 1}
    with pytest.raises(SampleError, match="sample 3: read failed: expected a packed msgpack message"):
        packed(object(), 3)
    with pytest.raises(SampleError, match=r"sample 3 \(k\): pack failed"):
        packed({"key": "k", "a": object()}, 3)
