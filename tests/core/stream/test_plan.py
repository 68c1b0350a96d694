from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven.errors import ParameterError
from leaven.stream.plan import Plan, Share

LASTS = ("keep", "drop", "pad", "wrap")

# length, rows, parts, world_size
SHAPES = st.tuples(st.integers(1, 400), st.integers(1, 7), st.integers(1, 4), st.integers(1, 5))


def plans(shape, last):
    """The plans of all ranks."""
    _, rows, parts, world = shape
    return [Plan(rows * parts, parts, rank, world, last) for rank in range(world)]


def epoch(plan, length):
    """The mini-batches of each step of one rank."""
    return [plan.shares(step, length - step * plan.global_batch) for step in range(plan.steps(length))]


def offsets(shares):
    return [offset for share in shares for start, stop in share.pieces for offset in range(start, stop)]


def in_step(all_ranks, step):
    """The samples that all ranks take in one step, in the order of the ranks."""
    return list(chain.from_iterable(offsets(steps[step]) for steps in all_ranks))


# ---- what holds for all of them


@given(SHAPES, st.sampled_from(LASTS))
@settings(max_examples=300, deadline=None)
def test_all_ranks_make_equal_steps_of_equally_many_mini_batches(shape, last):
    length, rows, parts, _ = shape
    epochs = [epoch(plan, length) for plan in plans(shape, last)]
    counts = [[len(shares) for shares in steps] for steps in epochs]
    assert all(count == counts[0] for count in counts)
    assert all(1 <= count <= parts for count in counts[0])
    for share in chain.from_iterable(chain.from_iterable(epochs)):
        assert 1 <= share.rows <= rows
        assert all(0 <= start < stop <= length for start, stop in share.pieces)
        assert len(offsets([share])) <= share.rows


@given(SHAPES, st.sampled_from(LASTS))
@settings(max_examples=300, deadline=None)
def test_steps_take_the_samples_in_order(shape, last):
    """All but the last step are full; every sample comes once, but for those that are dropped or come once more."""
    length = shape[0]
    ranks = plans(shape, last)
    size = ranks[0].global_batch
    epochs = [epoch(plan, length) for plan in ranks]
    steps = [in_step(epochs, step) for step in range(ranks[0].steps(length))]
    found = list(chain.from_iterable(steps))
    assert all(len(step) == size for step in steps[:-1])
    if last in ("keep", "pad"):
        assert found == list(range(length))
    elif last == "drop":
        assert found == list(range(length // size * size))
    else:
        assert found == [offset % length for offset in range(len(steps) * size)]


@given(SHAPES, st.sampled_from(("pad", "wrap", "drop")))
@settings(max_examples=200, deadline=None)
def test_mini_batches_are_full_unless_the_last_is_kept(shape, last):
    length, rows, parts, _ = shape
    for plan in plans(shape, last):
        for shares in epoch(plan, length):
            assert [share.rows for share in shares] == [rows] * parts
            assert last == "pad" or len(offsets(shares)) == plan.batch_size


@given(SHAPES)
@settings(max_examples=300, deadline=None)
def test_what_is_kept_is_divided_evenly(shape):
    length, rows, _, world = shape
    ranks = [epoch(plan, length)[-1] for plan in plans(shape, "keep")]
    counts = [len(offsets(shares)) for shares in ranks]
    assert max(counts) - min(counts) <= 1
    assert counts == sorted(counts, reverse=True)
    assert len(ranks[0]) == -(-counts[0] // rows)
    assert len(offsets(ranks[0][-1:])) >= 1
    for shares in ranks:
        for share in shares:
            held = len(offsets([share]))
            assert share.rows == (held or 1)
            assert held or world > 1


@given(st.integers(1, 500), st.integers(1, 60), st.sampled_from(LASTS), st.data())
@settings(max_examples=200, deadline=None)
def test_another_number_of_ranks_takes_the_same_samples_in_each_step(length, size, last, data):
    """With the same global batch."""
    worlds = [world for world in range(1, size + 1) if size % world == 0]
    steps = Plan(size, last=last).steps(length)
    found = []
    for world in (1, data.draw(st.sampled_from(worlds))):
        epochs = [epoch(plan, length) for plan in plans((length, size // world, 1, world), last)]
        assert len(epochs[0]) == steps
        found.append([in_step(epochs, step) for step in range(steps)])
    assert found[0] == found[1]


@given(SHAPES, st.sampled_from(LASTS), st.integers(0, 1000))
@settings(max_examples=100, deadline=None)
def test_an_endless_epoch_has_full_steps_only(shape, last, step):
    ranks = plans(shape, last)
    size = ranks[0].global_batch
    steps = [plan.shares(step, None) for plan in ranks]
    assert in_step([[shares] for shares in steps], 0) == list(range(step * size, (step + 1) * size))
    assert {len(shares) for shares in steps} == {shape[2]}


@pytest.mark.parametrize("last", LASTS)
@pytest.mark.parametrize("left", [0, -3])
def test_there_is_no_step_behind_the_end(last, left):
    assert Plan(4, last=last).shares(2, left) == []


# ---- the last step, spelt out


def test_one_rank_keeps_what_is_left():
    plan = Plan(6, parts=3)
    assert plan.shares(0, 9) == [Share(((0, 2),), 2), Share(((2, 4),), 2), Share(((4, 6),), 2)]
    assert plan.shares(1, 3) == [Share(((6, 8),), 2), Share(((8, 9),), 1)]


@pytest.mark.parametrize(
    ("left", "ranks"),
    [
        (1, [[Share(((24, 25),), 1)], [Share((), 1)], [Share((), 1)]]),
        (4, [[Share(((24, 26),), 2)], [Share(((26, 27),), 1)], [Share(((27, 28),), 1)]]),
        (7, [  # 3, 2 and 2 samples: mini-batches of 2 rows take two mini-batches for 3, so all have two
            [Share(((24, 26),), 2), Share(((26, 27),), 1)],
            [Share(((27, 29),), 2), Share((), 1)],
            [Share(((29, 31),), 2), Share((), 1)],
        ]),
    ],
)  # fmt: skip
def test_several_ranks_divide_what_is_left(left, ranks):
    assert [Plan(4, 2, rank, 3).shares(2, left) for rank in range(3)] == ranks


def test_a_padded_step_is_full():
    assert [Plan(4, 2, rank, 2, "pad").shares(1, 3) for rank in range(2)] == [
        [Share(((8, 10),), 2), Share(((10, 11),), 2)],
        [Share((), 2), Share((), 2)],
    ]


def test_a_wrapped_step_takes_the_first_samples_again():
    assert [Plan(4, 2, rank, 2, "wrap").shares(1, 3) for rank in range(2)] == [
        [Share(((8, 10),), 2), Share(((10, 11), (0, 1)), 2)],
        [Share(((1, 3),), 2), Share(((3, 5),), 2)],
    ]


def test_an_epoch_shorter_than_a_step_wraps_repeatedly():
    assert Plan(8, last="wrap").shares(0, 3) == [Share(((0, 3), (0, 3), (0, 2)), 8)]
    assert Plan(3, rank=1, world_size=2, last="wrap").shares(0, 1) == [Share(((0, 1), (0, 1), (0, 1)), 3)]


# ---- numbers and words


@pytest.mark.parametrize(("last", "steps"), [("keep", 4), ("drop", 3), ("pad", 4), ("wrap", 4)])
def test_steps(last, steps):
    plan = Plan(5, rank=1, world_size=2, last=last)
    assert plan.global_batch == 10
    assert plan.steps(31) == steps
    assert plan.steps(30) == 3


def test_dropping_everything_is_refused():
    plan = Plan(32, world_size=2, last="drop")
    plan.check(64)
    with pytest.raises(ParameterError, match=r"63 samples has no full step of 64 \(2 ranks x 32\).*'drop'.*batch_size"):
        plan.check(63)
    Plan(32, world_size=2).check(1)


@pytest.mark.parametrize(
    ("plan", "length", "line"),
    [
        (Plan(32), 1000, "1000 samples: 32 steps of 32; the last one has 8 samples, as they are"),
        (Plan(32), 32, "32 samples: 1 step of 32"),
        (Plan(32, 4, last="drop"), 65, "65 samples: 2 steps of 32 in 4 mini-batches; drops the last 1 sample"),
        (
            Plan(32, 2, 1, 4),
            1000,
            (
                "1000 samples: 8 steps of 128 (4 ranks x 32) in 2 mini-batches; "
                "the last one has 104 samples, divided evenly among the ranks"
            ),
        ),
        (Plan(4, last="pad"), 7, "7 samples: 2 steps of 4; the last one has 3 samples, padded with 1 row"),
        (
            Plan(4, last="wrap"),
            6,
            "6 samples: 2 steps of 4; the last one has 2 samples, filled up with 2 from the epoch's start",
        ),
    ],
)
def test_a_line_for_the_log(plan, length, line):
    assert plan.describe(length) == line


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"batch_size": 0}, "batch_size=0: expected a whole number, at least 1"),
        ({"batch_size": 2.0}, "batch_size=2.0: expected a whole number"),
        ({"batch_size": True}, "batch_size=True: expected a whole number"),
        ({"parts": 0}, "num_mini_batches=0: expected a whole number, at least 1"),
        ({"parts": 3}, "batch_size 4 is not divisible by num_mini_batches=3"),
        ({"world_size": 0}, "world_size=0: expected a whole number, at least 1"),
        ({"rank": -1}, "rank=-1: expected a whole number, at least 0"),
        ({"rank": 2, "world_size": 2}, "rank=2: with world_size=2, ranks are 0 to 1"),
        ({"last": "dorp"}, "last_batch='dorp': expected keep, drop, pad or wrap, did you mean 'drop'?"),
        ({"last": None}, "last_batch=None: expected keep, drop, pad or wrap"),
    ],
)
def test_what_does_not_go_together_is_refused(values, text):
    with pytest.raises(ParameterError) as caught:
        Plan(**{"batch_size": 4, **values})
    assert text in str(caught.value)
