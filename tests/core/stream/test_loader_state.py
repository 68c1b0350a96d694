"""A loader's state: going on at any place, with any number of workers, any transport and any number of ranks."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import content, stream

from leaven.errors import StateError
from leaven.stream.schedule import Progress
from leaven.stream.sources import Stretch

COMMON = {"size": 26, "batch_size": 4, "shuffle": True, "seed": 5}


def read(loader, count):
    """Return the first ``count`` batches, over as many epochs as they take, and the state after them."""
    found = []
    with loader:
        if not count:
            return found, loader.state_dict()
        while True:
            for iteration, mini_batches in loader:
                found += [content(iteration, sample) for sample in mini_batches]
                if len(found) == count:
                    return found, loader.state_dict()


def rest(loader, state, count):
    loader.load_state_dict(json.loads(json.dumps(state)))
    return read(loader, count)[0]


@pytest.mark.parametrize("stop", range(22))
def test_resuming_at_any_batch_of_three_epochs_gives_the_same_rest(make, stop):
    whole, _ = read(make(**COMMON), 28)
    found, state = read(make(**COMMON), stop)
    assert found == whole[:stop]
    assert rest(make(**COMMON), state, 28 - stop) == whole[stop:]
    assert len(json.dumps(state)) < 1000


@pytest.mark.parametrize(
    ("stop", "saved", "loaded"), [(3, {"nworkers": 2}, {}), (9, {}, {"nworkers": 3, "transport": "threads"})]
)
def test_another_number_of_workers_goes_on_with_the_same(make, stop, saved, loaded):
    whole, _ = read(make(**COMMON), 20)
    _, state = read(make(**COMMON, **saved), stop)
    assert rest(make(**COMMON, **loaded, shared_memory=3), state, 20 - stop) == whole[stop:]


@pytest.mark.parametrize("stop", [1, 2, 4, 6])
def test_resuming_with_mini_batches(make, stop):
    common = COMMON | {"num_mini_batches": 2}
    whole, _ = read(make(**common), 26)
    with make(**common) as loader:
        for iteration, _ in loader:
            if iteration == stop:
                break
        state = loader.state_dict()  # of the epoch that was broken off
    parts = min(2 * (stop + 1), 13)
    assert rest(make(**common), state, 26 - parts) == whole[parts:]


def test_a_plain_iterable_resumes_by_skipping(make):
    class Again:
        def __iter__(self):
            return ({"key": f"k{n}", "value": n} for n in range(10))

    whole, _ = read(make(dataset=Again()), 6)
    for stop in range(1, 6):
        _, state = read(make(dataset=Again()), stop)
        if stop != 3:  # of the last batch, nobody knows yet that it is: what is left of the epoch is nothing
            found = rest(make(dataset=Again()), state, 6 - stop)
            assert [batch[1:] for batch in found] == [batch[1:] for batch in whole[stop:]]


def test_in_the_order_of_arrival_nothing_comes_twice_after_a_resume(make, parts):
    common = {"size": 60, "batch_size": 2, "order": "arrival", "nworkers": 3}
    with make(**common, worker=parts.Echo(ms=3)) as loader:
        seen = []
        for _, (sample,) in loader:
            seen += sample["value"][:, 0].tolist()
            if len(seen) == 24:
                break
        state = loader.state_dict()
    again = make(**common)
    again.load_state_dict(state)
    with again:
        later = [value for _, (sample,) in again for value in sample["value"][:, 0].tolist()]
    assert sorted(seen + later) == list(range(60))


def test_arrival_has_the_same_batches_in_another_order(make, parts):
    class Order(parts.Echo):
        pass

    common = {"size": 40, "batch_size": 4, "shuffle": True}
    expected = [found[1:] for found in stream(make(**common), 1)]
    arrived = [found[1:] for found in stream(make(**common, nworkers=2, order="arrival"), 1)]
    assert sorted(arrived) == sorted(expected)


def test_a_state_of_another_stream_is_refused_with_what_differs(make, caplog):
    _, state = read(make(**COMMON), 3)
    other = make(30, 4, shuffle=True, seed=6)
    with pytest.raises(StateError, match=r"samples 26 instead of 30, length 26 instead of 30, seed 5 instead of 6"):
        other.load_state_dict(state)
    other.load_state_dict(state, strict=False)
    assert "another stream" in caplog.text
    with pytest.raises(StateError, match="sampler"):
        make(26, 4, seed=5).load_state_dict(state)


def test_another_worker_is_told(make, parts, caplog):
    _, state = read(make(**COMMON), 3)
    make(**COMMON, worker=parts.Echo(ms=1)).load_state_dict(state)
    assert "the stream was begun with another worker" in caplog.text


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "else"},
        {"version": 2},
        {"step": -1},
        {"step": "3"},
        {"ahead": None},
        {"ahead": [0.5]},
        {"global_batch": None},
        {"iteration": True},
    ],
)
def test_malformed_states_are_refused(make, change):
    loader = make(**COMMON)
    with pytest.raises(StateError):
        loader.load_state_dict({**loader.state_dict(), **change})
    with pytest.raises(StateError):
        loader.load_state_dict("state")


def test_another_world_size_keeps_the_global_batch(make, caplog):
    common = {"size": 50, "shuffle": True, "seed": 3}
    whole = [found[1] for found in read(make(**common, batch_size=8), 7)[0]]
    _, state = read(make(**common, batch_size=8), 3)
    ranks = []
    for rank in range(2):
        loader = make(**common, batch_size=8, rank=rank, world_size=2)
        loader.load_state_dict(state)
        assert loader.batch_size == 4
        ranks.append([found[1] for found in read(loader, 4)[0]])
    assert "batch_size is 4 instead of 8" in caplog.text
    assert [first + second for first, second in zip(*ranks, strict=True)] == whole[3:]
    with pytest.raises(StateError, match="cannot be divided among 3 ranks"):
        make(**common, batch_size=8, rank=0, world_size=3).load_state_dict(state)


def test_states_say_what_was_handed_out_not_what_was_made(make):
    with make(**COMMON, nworkers=2) as loader:
        assert loader.state_dict()["step"] == 0
        batches = iter(loader)
        next(batches)
        assert loader.state_dict()["step"] == 1
        batches.close()
        assert (loader.state_dict()["epoch"], loader.state_dict()["step"]) == (0, 1)
        next(iter(loader))
        assert (loader.state_dict()["epoch"], loader.state_dict()["step"]) == (1, 1)


@given(st.integers(1, 4), st.permutations(range(12)), st.integers(0, 12))
@settings(max_examples=100)
def test_progress_in_any_order_of_arrival(parts, order, count):
    progress = Progress()
    for ordinal in order[:count]:
        final = ordinal % parts == parts - 1
        progress.handed_out([Stretch(0, 1, [0], [0], None, [], final, ordinal)], parts)
    done = set(range(progress.step * parts)) | progress.ahead
    assert done == set(order[:count])
    assert not set(range(progress.step * parts)) & progress.ahead
