"""Sources: arrays, functions, iterators, and how they are joined and mapped."""

from __future__ import annotations

import json
import math
from itertools import islice

import numpy as np
import pytest
import source_parts
from hypothesis import given
from hypothesis import strategies as st

from leaven import LeavenError, ParameterError, WorkerProcessPool, WorkerThreadPool
from leaven.data.array_source import ArraySource
from leaven.data.coercion import source_of
from leaven.data.joined import ChoiceBatch, ChoiceSource, CompositeSource
from leaven.data.sources import Source
from leaven.data.stream_sources import CallableSource, IteratorSource
from leaven.data.whole_set import batch_map_concat, batch_map_mean
from leaven_plugins.samplers.weighted.sampler import Weighted


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return value.tolist() if isinstance(value, np.ndarray) else value


def joined(seed=0):
    """A source of each kind that has random access."""
    numbers, squares = ArraySource([np.arange(10)], repeats=2), ArraySource([np.arange(7), np.arange(7) ** 2])
    return {
        "array": ArraySource([np.arange(10), np.ones((10, 2))], indices=[5, 2, 9], repeats=3, include_indices=True),
        "sampler": ArraySource([np.arange(10)], sampler="weighted(weights=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9])"),
        "sampler made by hand": ArraySource([np.arange(10)], sampler=Weighted(np.arange(10.0))),
        "composite": CompositeSource([numbers, squares]),
        "nested": CompositeSource([CompositeSource([numbers, squares], flatten=False), squares], flatten=False),
        "choice": ChoiceSource([[np.arange(5)], numbers], stratified=True),
        "choice in composite": CompositeSource([ChoiceSource([[np.arange(5)], [np.arange(9)]]), squares]),
        "mapped": ArraySource([np.arange(10), np.arange(10.0)]).map(source_parts.negated),
    }


# ---- arrays


@given(st.integers(1, 9), st.integers(1, 20), st.integers(1, 4), st.integers(0, 99))
def test_each_pass_has_each_index_once(length, batch_size, repeats, seed):
    indices = np.arange(length) * 3
    source = ArraySource([np.arange(30)], indices, repeats)
    made = list(source.batch_indices_iterator(batch_size, seed))
    passes = np.concatenate(made).reshape(repeats, length)
    assert (np.sort(passes, 1) == indices).all()
    random = np.random.default_rng(seed)
    assert passes.tolist() == [indices[random.permutation(length)].tolist() for _ in range(repeats)]
    assert [len(part) for part in made[:-1]] == [batch_size] * (len(made) - 1)
    assert source.num_samples() == length * repeats


def test_permutations_are_drawn_when_they_are_needed():
    class Drawn:
        times = 0

        def permutation(self, length):
            self.times += 1
            return np.arange(length)

    random = Drawn()
    batches = ArraySource([np.arange(4)], repeats=3).batch_iterator(4, random)
    assert random.times == 0
    assert [(next(batches), random.times)[1] for _ in range(3)] == [1, 2, 3]
    assert list(batches) == []
    assert random.times == 3


def test_true_is_another_order_each_time_and_the_same_in_every_run():
    orders = []
    for _ in range(2):
        source = ArraySource([np.arange(50)])
        orders.append([next(source.batch_iterator(50, True))[0].tolist() for _ in range(3)])
    assert orders[0] == orders[1]
    assert orders[0] == [np.random.default_rng(n).permutation(50).tolist() for n in range(3)]
    composite = CompositeSource([[np.arange(50)], [np.arange(50)]])
    first, second = next(composite.batch_iterator(50, shuffle=True))
    assert first.tolist() != second.tolist()


def test_samples_by_their_positions():
    source = ArraySource([np.arange(10) * 10, list("abcdefghij")], [7, 3, 1], include_indices=True)
    for positions in (slice(1, None), np.array([1, 2])):
        assert plain(source.samples_by_indices(positions)) == [[3, 1], [30, 10], ["d", "b"]]
    for positions in (slice(1, 3), np.array([1, 2])):
        assert plain(source.samples_by_indices_nomapping(positions)) == [[1, 2], [10, 20], ["b", "c"]]


def test_a_sampler_says_what_comes():
    for sampler in (Weighted([0, 1, 1]), {"use": "weighted", "weights": [0, 1, 1]}):
        source = ArraySource([np.arange(3)], sampler=sampler)
        drawn = [np.concatenate([part for (part,) in source.batch_iterator(2, seed)]).tolist() for seed in range(99)]
        assert {len(one) for one in drawn} == {3}
        assert set(np.ravel(drawn)) == {1, 2}
        assert len({tuple(one) for one in drawn}) == 8
    assert plain(list(source.batch_iterator(3))) == plain(list(source.batch_iterator(3, None)))


def test_nothing_repeats_itself_without_an_end():
    source = ArraySource([[]], repeats=-1)
    assert list(source.batch_iterator(3)) == []
    assert source.num_samples() == 0
    assert ArraySource([[1]], repeats=-1).num_samples() == math.inf


# ---- functions and iterators


def test_a_function_is_called_for_each_pass():
    asked = []

    def batches(batch_size, **options):
        asked.append((batch_size, options))
        return [(np.arange(batch_size),)]

    source = CallableSource(batches, num_samples=lambda: 4)
    assert plain(list(source.batch_iterator(4))) == [[[0, 1, 2, 3]]]
    random = np.random.default_rng(0)
    list(source.batch_iterator(2, random))
    assert asked == [(4, {}), (2, {"shuffle": random})]
    assert source.num_samples() == 4
    assert source_of(batches).num_samples() is None
    assert not source.is_random_access


def test_an_iterator_gives_its_batches_once():
    source = source_of(iter([(1,), (2,)]))
    assert list(source.batch_iterator(5)) == [(1,), (2,)]
    with pytest.raises(ParameterError, match="once"):
        source.batch_iterator(5)


# ---- joined


def test_lists_and_foreign_sources_can_be_joined():
    class Foreign:
        def batch_iterator(self, batch_size, shuffle=None):
            return iter([[np.arange(3), np.arange(3)], [np.arange(2), np.arange(2)]])

    source = CompositeSource([[np.arange(5)], Foreign()])
    assert plain(list(source.batch_iterator(4))) == [[[0, 1, 2]] * 3, [[4], [0], [0]]]
    assert source.num_samples() is None
    assert not source.is_random_access
    assert ChoiceSource([[np.arange(5)], Foreign()]).num_samples() is None
    with pytest.raises(ParameterError, match="a CompositeSource has no random access"):
        source.batch_indices_iterator(4)


def test_indices_are_cut_where_batches_are():
    parts = [[np.arange(5)], [np.arange(3)]]
    cut, whole = (list(CompositeSource(parts, trim=trim).batch_indices_iterator(4)) for trim in (True, False))
    assert plain(cut) == [[[0, 1, 2], [0, 1, 2]]]
    assert plain(whole) == [[[0, 1, 2, 3], [0, 1, 2]]]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5), st.integers(1, 7), st.one_of(st.none(), st.integers(0, 9)))
def test_stratified_choice_uses_everything_up(lengths, batch_size, seed):
    arrays = [[np.arange(length) + 100 * n] for n, length in enumerate(lengths)]
    source = ChoiceSource(arrays, stratified=True)
    batches = [part.tolist() for (part,) in source.batch_iterator(batch_size, seed)]
    assert sorted(sum(batches, [])) == sorted(np.concatenate([part for (part,) in arrays]).tolist())
    assert source.num_samples() == sum(lengths)
    if seed is None:
        counts = [-(-length // batch_size) for length in lengths]
        order = [batch[0] // 100 for batch in batches]
        steps = range(max(counts))  # the longest has a batch in each, the others whenever theirs is due
        assert order == [
            n
            for step in steps
            for n, count in enumerate(counts)
            if count and (not step or step * count // len(steps) > (step - 1) * count // len(steps))
        ]


def test_choice_ends_with_the_first_that_has_no_more():
    source = ChoiceSource([[np.arange(4)], ArraySource([np.arange(10)], repeats=-1)], stratified=True)
    order = [indices.ds_index for indices in source.batch_indices_iterator(2)]
    assert order == [0, 1, 0, 1]
    assert source.num_samples() == math.inf
    assert plain(source.samples_by_indices(ChoiceBatch(np.array([2]), 1))) == [[2]]
    rounds = [indices.ds_index for indices in ChoiceSource([[np.arange(9)]] * 3).batch_indices_iterator(1, 5)]
    assert [sorted(rounds[n : n + 3]) for n in range(0, 27, 3)] == [[0, 1, 2]] * 9
    assert len({tuple(rounds[n : n + 3]) for n in range(0, 27, 3)}) > 2


@pytest.mark.parametrize("name", joined())
@pytest.mark.parametrize("shuffle", [None, 3])
def test_random_access_and_iteration_give_the_same(name, shuffle):
    source, again = joined()[name], joined()[name]
    serial = plain(list(source.batch_iterator(3, shuffle)))
    indices = again.batch_indices_iterator(3, shuffle)
    assert plain([again.samples_by_indices_nomapping(part) for part in indices]) == serial
    assert source.is_random_access


@pytest.mark.parametrize("kind", [WorkerThreadPool, WorkerProcessPool])
def test_pools_keep_the_order_of_every_source(kind):
    with kind(2) as pool:
        for source in joined().values():
            for make in (lambda: None, lambda: np.random.RandomState(1)):
                serial = plain(list(source.batch_iterator(4, make())))
                assert plain(list(pool.parallel_data_source(source).batch_iterator(4, make()))) == serial


# ---- mistakes


def errors():
    """What goes wrong, by the names of the golden case of the family ``errors/``."""
    endless = ArraySource([np.arange(3)], repeats=-1)
    three = [np.arange(3)]
    return {
        "map_concat infinite without n_batches": lambda: endless.batch_map_concat(lambda x: x, 2),
        "map_concat returns list": lambda: batch_map_concat(three, lambda x: [1, 2], 2),
        "map_mean returns int": lambda: batch_map_mean(three, lambda x: 1, 2),
        "map_mean returns np.float32 scalar": lambda: batch_map_mean(three, lambda x: np.float32(1), 2),
        "map_mean returns float": lambda: batch_map_mean(three, lambda x: 1.0, 2),
        "data not list": lambda: ArraySource(np.arange(3)),
        "length mismatch": lambda: ArraySource([np.arange(3), np.arange(4)]),
        "repeats 0": lambda: ArraySource(three, repeats=0),
        "repeats -2": lambda: ArraySource(three, repeats=-2),
        "sampler and repeats": lambda: ArraySource(three, sampler="shuffle", repeats=2),
        "sampler and indices": lambda: ArraySource(three, sampler="shuffle", indices=[1]),
        "weighted in order": lambda: next(ArraySource(three, sampler=Weighted([1, 1, 1])).batch_iterator(2)),
        "weights sum 0": lambda: Weighted([0, 0, 0]).over(range(3), 0),
        "sub_weights length": lambda: Weighted([1, 1], indices=[1]).over(range(3), 0),
        "composite num_samples with unknown": lambda: CompositeSource([three, iter(())]).num_samples(),
        "coerce empty list": lambda: source_of([]),
        "coerce int": lambda: source_of(5),
        "parallel of non random access": lambda: WorkerThreadPool().parallel_data_source(IteratorSource(iter(()))),
    }


MENDED = {
    "map_mean returns int",  # B044
    "map_mean returns np.float32 scalar",
    "composite num_samples with unknown",  # B027
    "weighted in order",  # a sampler is a function of the seed: there is no order without chance
}


def test_what_goes_wrong_raises_what_says_so(golden):
    """The errors of batchup, but for those that are mended."""
    index = json.loads((golden / "batchup.index.json").read_text("utf-8"))
    expected = next(case["expected"] for case in index["cases"] if case["id"] == "errors")
    found = errors()
    assert set(found) == set(expected)
    for name, call in found.items():
        if expected[name] is None or name in MENDED:
            call()
        else:
            with pytest.raises(LeavenError):
                call()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ArraySource([np.arange(3)], indices=[3]), "the arrays have samples 0 to 2"),
        (lambda: ArraySource([np.arange(3)], indices=[-1]), "-1 to -1"),
        (lambda: ArraySource([np.arange(3)], indices=[0.5]), "expected whole numbers, got float64"),
        (lambda: ArraySource([[1]]).batch_iterator(0), "batch_size=0"),
        (lambda: ArraySource([[1]]).batch_iterator(True), "batch_size=True"),
        (lambda: ArraySource([[1]]).batch_iterator(1, "yes"), "shuffle='yes'"),
        (lambda: CallableSource(5), "a int is no function"),
        (lambda: CallableSource(list, 1.5), r"num_samples=1\.5"),
        (lambda: CallableSource(list, lambda: "5").num_samples(), "num_samples='5'"),
        (lambda: CallableSource(list).batch_iterator(0), "batch_size=0"),
        (lambda: CallableSource(list).samples_by_indices([1]), "a CallableSource has no random access"),
        (lambda: IteratorSource([1]), "a list is no iterator"),
        (lambda: CompositeSource([]), "at least one"),
        (lambda: ChoiceSource([iter(())], stratified=True).batch_iterator(1), "source 0 does not know"),
        (lambda: list(ArraySource([[1]]).map(len).batch_iterator(1)), "returned a int: expected a tuple"),
    ],
)
def test_mistakes(call, text):
    with pytest.raises(ParameterError, match=text):
        call()


def test_endless_sources_can_be_cut_short():
    batches = ArraySource([np.arange(3)], repeats=-1).batch_iterator(7)
    assert plain(list(islice(batches, 2))) == [[[0, 1, 2, 0, 1, 2, 0]], [[1, 2, 0, 1, 2, 0, 1]]]
    assert isinstance(source_of([np.arange(2)]), Source)


def test_a_source_that_ends_before_it_should_is_told():
    short = CallableSource(lambda size: iter([(np.arange(size),)]), 10)
    with pytest.raises(ParameterError, match="source 0 ended after 1 batches instead of 5"):
        list(ChoiceSource([short, [np.arange(4)]], stratified=True).batch_iterator(2))


def test_indices_that_are_no_row_of_numbers():
    with pytest.raises(ParameterError, match="indices: expected whole numbers"):
        ArraySource([np.arange(4)], indices=[[0], [1, 2]])
    with pytest.raises(ParameterError, match="'ab' is no array of samples"):
        ArraySource(["ab", np.arange(2)])
