"""Epochs: the last batch, ranks, endless streams, own requests."""

from __future__ import annotations

import pytest
from reading import epoch, stream, values

from leaven import ParameterError


def rows(loader):
    """Return the samples of each iteration, where the mask says that there is one."""
    with loader:
        return [
            [int(v) for sample in samples for v, ok in zip(sample["value"][:, 0], sample["valid"], strict=True) if ok]
            for _, samples in loader
        ]


def test_drop_leaves_the_last_samples_out(make):
    with make(10, 4, last_batch="drop") as loader:
        assert len(loader) == 2
        assert epoch(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]
        assert epoch(loader) == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("nworkers", [0, 2])
def test_pad_fills_up_with_rows_that_are_not_valid(make, nworkers):
    with make(10, 4, last_batch="pad", nworkers=nworkers) as loader:
        *whole, (_, (last,)) = loader
    assert all(sample["valid"].all() for _, (sample,) in whole)
    assert last["valid"].tolist() == [True, True, False, False]
    assert last["value"].tolist() == [[8, -1], [9, -1], [-1, -1], [-1, -1]]
    assert last["key"] == ["n8", "n9", None, None]


def test_wrap_fills_up_with_the_first_samples(make):
    with make(10, 4, last_batch="wrap") as loader:
        assert epoch(loader) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]
    with make(3, 8, last_batch="wrap") as loader:
        assert epoch(loader) == [[0, 1, 2, 0, 1, 2, 0, 1]]


@pytest.mark.parametrize("size", [1, 2, 7, 16, 17, 23])
@pytest.mark.parametrize("last_batch", ["keep", "pad"])
def test_ranks_share_each_step_and_make_as_many(make, size, last_batch):
    alone = [sorted(step) for step in epoch(make(size, 8, shuffle=True))]
    for world_size in (2, 4):
        common = {"shuffle": True, "world_size": world_size, "last_batch": last_batch}
        ranks = [rows(make(size, 8 // world_size, rank=rank, **common)) for rank in range(world_size)]
        assert {len(steps) for steps in ranks} == {len(alone)}
        assert [sorted(sum(steps, [])) for steps in zip(*ranks, strict=True)] == alone


def test_ranks_of_an_iterable_without_length(make):
    class Again:
        def __iter__(self):
            return ({"key": f"k{n}", "value": n} for n in range(11))

    ranks = [rows(make(dataset=Again(), batch_size=2, rank=rank, world_size=2)) for rank in range(2)]
    assert ranks == [[[0, 1], [4, 5], [8, 9]], [[2, 3], [6, 7], [10]]]


def test_endless_goes_on_across_passes(make):
    found = []
    with make(5, 2, endless=True) as loader:
        with pytest.raises(TypeError):
            len(loader)
        for iteration, samples in loader:
            found.append(values(samples))
            if iteration == 6:
                break
        state = loader.state_dict()
    assert found == [[0, 1], [2, 3], [4, 0], [1, 2], [3, 4], [0, 1], [2, 3]]
    again = make(5, 2, endless=True)
    again.load_state_dict(state)
    with again:
        iteration, samples = next(iter(again))
    assert (iteration, values(samples)) == (7, [4, 0])


def test_the_sampler_can_be_chosen(make):
    blocks = stream(make(40, 4, sampler={"use": "blocks", "size": 4, "window": 2}), 1)
    assert sorted(v[0] for _, found, _, _ in blocks for v in found) == list(range(40))
    assert blocks != stream(make(40, 4, shuffle=True), 1)
    assert stream(make(40, 4, sampler="shuffle"), 1) == stream(make(40, 4, shuffle=True), 1)


def test_requests_of_ones_own(make):
    class Own:
        def yield_requests(self):
            for first, count in ((0, 3), (10, 1), (20, 2)):
                yield [{"key": f"k{n}", "value": n} for n in range(first, first + count)]

    for nworkers in (0, 2):
        with make(dataset=Own(), batch_size=4, nworkers=nworkers) as loader:
            assert epoch(loader) == [[0, 1, 2], [10], [20, 21]]
            assert epoch(loader) == [[0, 1, 2], [10], [20, 21]]
    with make(dataset=Own(), batch_size=6, num_mini_batches=2) as loader:
        assert epoch(loader) == [[0, 1, 2, 10], [20, 21]]


def test_a_transform_comes_last(make):
    with make(4, 2, transform=lambda sample: sample["value"][:, 0].tolist()) as loader:
        assert [samples for _, samples in loader] == [[[0, 1]], [[2, 3]]]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"last_batch": "dorp"}, "did you mean 'drop'"),
        ({"size": 3, "last_batch": "drop"}, "nothing is left"),
        ({"rank": 2, "world_size": 2}, "ranks are 0 to 1"),
        ({"order": "random"}, "expected 'position' or 'arrival'"),
        ({"endless": True, "length": 5}, "no length"),
        ({"shuffle": True, "sampler": "blocks"}, "the sampler alone"),
        ({"dataset": iter([{"value": 1}]), "sampler": "shuffle"}, "keeps its own order"),
        ({"dataset": iter([{"value": 1}]), "last_batch": "wrap"}, "cannot go back"),
        ({"on_error": "skpi"}, "did you mean 'skip'"),
        ({"max_errors": 1.5}, "max_errors"),
        ({"poison_after": 0}, "poison_after"),
        ({"worker_timeout": -1}, "worker_timeout"),
        ({"max_restarts": -1}, "max_restarts"),
        ({"nworkers": -1}, "nworkers"),
    ],
)
def test_what_does_not_go_together(make, options, words):
    with pytest.raises(ParameterError, match=words):
        make(**options)
