from __future__ import annotations

import pytest

from leaven.errors import ParameterError, SampleError
from leaven.stream.sources import Lookups, Positions, Walk, packed, source_of
from leaven.stream.wire import unpack_sample

OPTIONS = {"readable": False, "seed": 0, "shuffle": False, "window": 10}


class Files:
    def __len__(self):
        return 3

    def sample(self, index):
        return {"value": index}


def test_what_workers_can_read_travels_as_positions():
    source = source_of(Files(), **OPTIONS | {"readable": True})
    assert isinstance(source, Positions)
    assert source.stretch(2, 5) == (2, [0, 1, 1], [2, 0, 1], None)


@pytest.mark.parametrize("data", [Files(), [{"value": n} for n in range(3)], tuple({"value": n} for n in range(3))])
def test_what_they_cannot_read_is_packed_here(data):
    source = source_of(data, **OPTIONS)
    assert isinstance(source, Lookups)
    position, epochs, indices, items = source.stretch(1, 4)
    assert (position, epochs, indices) == (1, [0, 0, 1], [1, 2, 0])
    assert [unpack_sample(item)["value"] for item in items] == [1, 2, 0]


def numbers(stretch):
    return [unpack_sample(item)["n"] for item in stretch.items]


def walk(count, once=False, window=10):
    samples = [{"n": n} for n in range(count)]
    return Walk(iter(samples) if once else _Again(samples), window)


def begin(source, position, skip, length=None):
    source.begin(position, skip, source.flows(length))


class _Again:
    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        return iter(self.samples)


def test_an_iterable_is_walked_from_its_start_in_each_epoch():
    source = walk(5)
    begin(source, 0, 0)
    assert numbers(source.stretch(0, 3)) == [0, 1, 2]
    assert numbers(source.stretch(3, 6)) == [3, 4]
    begin(source, 20, 0)
    again = source.stretch(20, 23)
    assert numbers(again) == [0, 1, 2]
    assert again.epochs == [1, 1, 1]


def test_with_a_length_it_flows_on():
    source = walk(3)
    begin(source, 0, 0, length=4)
    assert numbers(source.stretch(0, 4)) == [0, 1, 2, 0]
    begin(source, 4, 0, length=4)
    found = source.stretch(4, 8)
    assert numbers(found) == [1, 2, 0, 1]
    assert found.epochs == [1, 1, 2, 2]


def test_an_iterator_keeps_what_was_read_but_not_delivered():
    source = walk(8, once=True)
    begin(source, 0, 0)
    source.stretch(0, 6)
    begin(source, 2, 0)
    assert numbers(source.stretch(2, 8)) == [2, 3, 4, 5, 6, 7]
    assert numbers(source.stretch(8, 9)) == []


def test_no_more_is_kept_than_the_window():
    source = walk(10_000, once=True, window=7)
    begin(source, 0, 0)
    for start in range(0, 9_000, 3):
        source.stretch(start, start + 3)
    assert len(source._kept) == 7
    assert numbers(source.stretch(8_995, 9_001)) == list(range(8_995, 9_001))


def test_resuming_skips():
    source = walk(9)
    begin(source, 4, 4)
    assert numbers(source.stretch(4, 7)) == [4, 5, 6]
    source = walk(9, once=True)
    begin(source, 4, 0)
    assert numbers(source.stretch(4, 7)) == [4, 5, 6]


def test_an_empty_iterable_with_a_length_ends():
    source = walk(0)
    begin(source, 0, 0, length=5)
    assert numbers(source.stretch(0, 5)) == []


@pytest.mark.parametrize("data", ["text", b"bytes", {"a": 1}, 3, None])
def test_what_is_no_source_says_so(data):
    with pytest.raises(ParameterError, match="neither a dataset"):
        source_of(data, **OPTIONS)


def test_packing():
    assert packed(b"x", 0) == b"x"
    assert packed(bytearray(b"x"), 0) == b"x"
    assert unpack_sample(packed({"a": 1}, 0)) == {"a": 1}
    with pytest.raises(SampleError, match="sample 3: read failed: expected a packed msgpack message"):
        packed(object(), 3)
    with pytest.raises(SampleError, match=r"sample 3 \(k\): pack failed"):
        packed({"key": "k", "a": object()}, 3)
