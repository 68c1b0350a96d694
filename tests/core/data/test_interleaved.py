"""Interleaved: evaluation batches where they are due, in one stream with those of training."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaven import ParameterError
from leaven.data.interleaved import Interleaved, Side
from leaven.data.orders import order_of

MAIN, SIDE = order_of(range(10)), order_of(range(3))


def plain(batches):
    return [batch.tolist() for batch in batches]


def reference(length, size, drop_last, ends, every, side_length, side_size):
    """One sample after the other, as the original tells it."""
    per_epoch = length // size * size if drop_last else length
    done = {"epochs": 0, "updates": 0, "samples": 0}
    seen, found, batch = 0, [], []
    while True:
        for position in range(per_epoch):
            batch.append(position)
            done["samples"] += 1
            if len(batch) < size and position < per_epoch - 1:
                continue
            found.append(batch)
            batch = []
            done["updates"] += 1
            done["epochs"] += position == per_epoch - 1
            (unit, interval), *_ = every.items()
            at_end = unit != "epochs" or position == per_epoch - 1
            before = seen if unit == "samples" else done[unit] - 1
            if at_end and before // interval < done[unit] // interval:
                side = [length + n for n in range(side_length)]
                found += [side[start : start + side_size] for start in range(0, side_length, side_size)]
            seen = done["samples"]
            if any(done[unit] >= end for unit, end in ends.items()):
                return found


@given(
    st.integers(1, 12),
    st.integers(1, 6),
    st.booleans(),
    st.dictionaries(st.sampled_from(["epochs", "updates", "samples"]), st.integers(1, 20), min_size=1, max_size=1),
    st.dictionaries(st.sampled_from(["epochs", "updates", "samples"]), st.integers(1, 9), min_size=1, max_size=1),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_it_is_what_the_original_says(length, size, drop_last, ends, every, side_length, side_size):
    side = Side(order_of(range(side_length)), batch_size=side_size, **{f"every_n_{k}": v for k, v in every.items()})
    options = {"drop_last": drop_last, **ends}
    if drop_last and size > length:
        with pytest.raises(ParameterError, match="does not fill a batch"):
            Interleaved(order_of(range(length)), size, [side], **options)
        return
    made = Interleaved(order_of(range(length)), size, [side], **options)
    assert plain(made) == reference(length, size, drop_last, ends, every, side_length, side_size)
    assert plain(made) == plain(made)


@given(st.integers(0, 7), st.booleans(), st.sampled_from([2, 3, 5]))
def test_it_goes_on_in_the_middle(update, drop_last, size):
    main = order_of(range(10), "shuffle", seed=3)
    side = Side(SIDE, every_n_samples=7)
    whole = list(Interleaved(main, size, [side], updates=20, drop_last=drop_last))
    mains = [n for n, batch in enumerate(whole) if batch.max() < 10]
    tail = plain(whole[mains[update] :])
    options = {"updates": 20, "drop_last": drop_last}
    assert plain(Interleaved(main, size, [side], start_update=update, **options)) == tail
    per_epoch = 10 // size if drop_last else math.ceil(10 / size)
    samples = sum(len(whole[n]) for n in mains[:update])
    assert plain(Interleaved(main, size, [side], start_sample=samples, **options)) == tail
    if update % per_epoch == 0:
        assert plain(Interleaved(main, size, [side], start_epoch=update // per_epoch, **options)) == tail


def test_each_pass_has_an_order_of_its_own_and_all_its_samples():
    made = Interleaved(order_of(range(10), "shuffle"), 4, epochs=3, drop_last=False)
    passes = np.concatenate(list(made)).reshape(3, 10)
    assert (np.sort(passes) == np.arange(10)).all()
    assert len({tuple(one) for one in passes.tolist()}) == 3


def test_several_sides_follow_each_other():
    sides = [Side(SIDE, every_n_updates=2), Side(order_of(range(2)), every_n_epochs=1, batch_size=9)]
    made = plain(Interleaved(MAIN, 5, sides, epochs=1))
    assert made == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12], [13, 14]]
    for end in ("epochs", "updates", "samples"):
        assert plain(Interleaved(MAIN, 5, sides, **{end: 0})) == [[10, 11, 12], [13, 14]]


def test_the_share_of_a_process_is_a_main_order_too():
    batches = [plain(Interleaved(order_of(range(10), rank=rank, world_size=2), 5, epochs=1)) for rank in range(2)]
    assert batches == [[[0, 2, 4, 6, 8]], [[1, 3, 5, 7, 9]]]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Side(SIDE), "a side: every_n_epochs, every_n_updates, every_n_samples: expected one"),
        (lambda: Side(SIDE, 1, 1), "expected one of them"),
        (lambda: Side(SIDE, 0), "every_n_epochs=0"),
        (lambda: Side(SIDE, 1, batch_size=0), "batch_size=0"),
        (lambda: Interleaved(MAIN, 2), "interleaved: epochs, updates, samples: expected one"),
        (lambda: Interleaved(MAIN, 2, epochs=1, samples=3), "expected one"),
        (lambda: Interleaved(MAIN, 2, epochs=-1), "epochs=-1"),
        (lambda: Interleaved(MAIN, 0, epochs=1), "batch_size=0"),
        (lambda: Interleaved(MAIN, 2, epochs=1, start_epoch=1, start_update=1), "one of them at most"),
        (lambda: Interleaved(MAIN, 2, epochs=1, start_sample=3), "start_sample=3 is within a batch"),
        (lambda: Interleaved(MAIN, 11, epochs=1), "10 samples does not fill a batch of 11"),
    ],
)
def test_mistakes(call, text):
    with pytest.raises(ParameterError, match=text):
        call()
