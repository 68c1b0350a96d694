"""Batches in one line: of arrays, mappings, datasets and sources."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import leaven
from leaven import LookupFailed, ParameterError, SampleError
from leaven.data.array_source import ArraySource
from leaven.data.batches import batches
from leaven.data.index_batches import num_batches
from leaven.stream.order import permuted


def flat(found):
    return np.concatenate(list(found)).tolist()


@given(st.integers(1, 12), st.integers(1, 30), st.integers(1, 5), st.booleans(), st.booleans(), st.integers(0, 2**70))
def test_batches_run_across_the_ends_of_passes(length, batch_size, repeats, shuffle, drop_last, seed):
    made = batches(np.arange(length), batch_size, shuffle=shuffle, repeats=repeats, drop_last=drop_last, seed=seed)
    for turn in range(2):
        passes = [permuted(np.arange(length), length, seed, turn * repeats + n) for n in range(repeats)]
        whole = np.concatenate(passes).tolist() if shuffle else list(range(length)) * repeats
        count = len(whole) // batch_size if drop_last else num_batches(len(whole), batch_size)
        found = [batch.tolist() for batch in made]
        assert found == [whole[n * batch_size : (n + 1) * batch_size] for n in range(count)]
        assert len(made) == count


def test_without_an_end():
    made = batches([np.arange(3)], 4, repeats=-1, shuffle=True)
    several = [batch for batch, _ in zip(made, range(6), strict=False)]
    assert all(len(part) == 4 for (part,) in several)
    assert [sorted(part) for part in np.concatenate([part for (part,) in several]).reshape(8, 3).tolist()] == [
        [0, 1, 2]
    ] * 8
    with pytest.raises(TypeError, match="no end"):
        len(made)


def test_each_kind_of_data_has_batches_of_its_kind():
    images, labels = np.arange(20).reshape(5, 4), list("abcde")
    assert [batch.tolist() for batch in batches(images, 3)] == [images[:3].tolist(), images[3:].tolist()]
    ((part, letters),) = batches((images, labels), 9, indices=[3, 1])
    assert (part.tolist(), letters) == (images[[3, 1]].tolist(), ["d", "b"])
    (named,) = batches({"image": images, "letter": labels}, 5)
    assert (named["image"].tolist(), named["letter"]) == (images.tolist(), labels)
    indices, part = next(iter(batches(images, 2, include_indices=True, shuffle=True)))
    assert part.tolist() == images[indices].tolist()
    indices, part, letters = next(iter(batches([images, labels], 2, include_indices=True)))
    assert (indices.tolist(), letters) == ([0, 1], ["a", "b"])
    assert next(iter(batches({"letter": labels}, 2, include_indices=True))) == {
        "index": pytest.approx([0, 1]),
        "letter": ["a", "b"],
    }


class Samples:
    """A dataset of samples that are given."""

    def __init__(self, samples):
        self.samples = samples
        self.closed = 0

    def __len__(self):
        return len(self.samples)

    def sample(self, index):
        return self.samples[index]

    def close(self):
        self.closed += 1


def test_fields_of_samples_are_stacked_where_they_fit():
    dataset = Samples(
        [{"n": n, "even": n % 2 == 0, "f": n / 2, "a": np.full((2,), n, "u1"), "s": str(n)} for n in range(4)]
    )
    (batch,) = batches(dataset, 4)
    assert batch["n"].tolist() == [0, 1, 2, 3]
    assert batch["even"].dtype == bool
    assert batch["f"].dtype == np.float64
    assert (batch["a"].shape, batch["a"].dtype) == ((4, 2), np.uint8)
    assert batch["s"] == ["0", "1", "2", "3"]
    odd = Samples([{"a": np.zeros(2), "n": 2**70}, {"a": np.zeros(3), "n": 1}])
    (batch,) = batches(odd, 2)
    assert [part.shape for part in batch["a"]] == [(2,), (3,)]
    assert batch["n"] == [2**70, 1]
    assert dataset.closed == odd.closed == 0


def test_fields_that_not_all_samples_have():
    with pytest.raises(SampleError, match="sample 1: collate failed: not the fields of sample 0: b, c"):
        list(batches(Samples([{"a": 1, "b": 2}, {"a": 1, "c": 2}]), 2))
    with pytest.raises(ParameterError, match="a field 'index' of their own"):
        list(batches(Samples([{"index": 1}]), 2, include_indices=True))


def test_datasets_by_name_are_opened_and_closed_again(monkeypatch):
    total = sum(len(batch["label"]) for batch in batches("dataset:digits", 500))
    assert total == 1797
    dataset = Samples([{"n": 1}] * 3)
    monkeypatch.setattr("leaven.registry.opening.open_dataset", lambda what: dataset)
    assert len(list(batches({"use": "digits"}, 2))) == 2
    assert dataset.closed == 1
    next(iter(batches("digits", 2)))
    assert dataset.closed == 2


def test_samplers_are_taken_by_name_table_or_instance():
    data = {"value": np.arange(6), "label": np.array([0, 0, 0, 0, 0, 1])}
    for sampler in ("balanced_epoch", {"use": "balanced_epoch"}, leaven.create("sampler:balanced_epoch")):
        (batch,) = batches(data, 10, sampler=sampler, seed=3)
        assert sorted(batch["value"].tolist()) == [0, 1, 2, 3, 4, 5, 5, 5, 5, 5]
    assert sorted(flat(batches(np.arange(9), 2, indices=[2, 5, 7], shuffle=True))) == [2, 5, 7]
    with pytest.raises(LookupFailed, match="shufle"):
        batches(np.arange(3), 1, sampler="shufle")


@pytest.mark.parametrize("world_size", [1, 2, 3, 7, 20])
def test_shares_are_equally_long_and_make_up_the_pass(world_size):
    shares = [
        flat(batches(np.arange(10), 4, shuffle=True, repeats=2, rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    assert len(set(map(len, shares))) == 1
    each = len(shares[0]) // 2
    for number in range(2):
        together = np.array(shares)[:, number * each : (number + 1) * each].T.ravel().tolist()
        whole = permuted(np.arange(10), 10, 0, number).tolist()
        assert together == (whole * 2)[: len(together)]


def test_sources_say_themselves_what_they_have():
    source = ArraySource([np.arange(10)], repeats=2)
    assert [part.tolist() for (part,) in batches(source, 8, drop_last=True)] == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [8, 9, *range(6)],
    ]
    made, again = batches(source, 20, shuffle=True, seed=4), batches(source, 20, shuffle=True, seed=4)
    first, second = (next(iter(made))[0].tolist() for _ in range(2))
    assert first != second
    assert [next(iter(again))[0].tolist() for _ in range(2)] == [first, second]
    with pytest.raises(ParameterError, match="sampler, indices, repeats: not for a source"):
        batches(source, 8, sampler="shuffle", indices=[1], repeats=2)


@pytest.mark.parametrize(
    "data", [np.zeros((0, 3)), [np.zeros(0), []], {"a": []}, Samples([])], ids=lambda d: type(d).__name__
)
def test_nothing_has_no_batches(data):
    made = batches(data, 4, shuffle=True, repeats=-1)
    assert (list(made), len(made)) == ([], 0)


@pytest.mark.parametrize(
    ("data", "options", "text"),
    [
        (5, {}, "batches of a int: expected an array"),
        ([1, 2], {}, "a int is no array of samples"),
        ([np.zeros(2), np.zeros(3)], {}, r"one length, got \[2, 3\]"),
        ({}, {}, "one length, got none"),
        (np.zeros(3), {"batch_size": 0}, "batch_size=0"),
        (np.zeros(3), {"repeats": 0}, "repeats=0: expected a whole number, at least 1, or -1"),
        (np.zeros(3), {"repeats": -2}, "repeats=-2"),
        (np.zeros(3), {"shuffle": np.random.default_rng(0)}, "shuffle=Generator.*expected a bool"),
        (np.zeros(3), {"seed": 1.5}, r"seed=1\.5"),
        (np.zeros(3), {"indices": [3]}, "no sample 3"),
        (np.zeros(3), {"sampler": "shuffle", "shuffle": True}, "a sampler alone says"),
        (np.zeros(3), {"rank": 2, "world_size": 2}, "rank=2, world_size=2"),
    ],
)
def test_mistakes(data, options, text):
    with pytest.raises(ParameterError, match=text):
        batches(data, **{"batch_size": 2, **options})


def test_numbers_that_no_array_holds_exactly_stay_as_they_are():
    batch = next(iter(leaven.batches(Samples([{"n": 2**63}, {"n": -1}]), 2)))
    assert batch["n"] == [2**63, -1]


@pytest.mark.parametrize(("rank", "world_size"), [(1, 1), (2, 2), ("0", 2), (-1, 2), (0, 0)])
def test_shares_that_there_are_not(rank, world_size):
    with pytest.raises(ParameterError, match="expected whole numbers, 0 <= rank < world_size"):
        leaven.batches([np.arange(4)], 2, rank=rank, world_size=world_size)
