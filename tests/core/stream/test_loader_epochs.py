"""Epochs: the last batch, ranks, endless streams, own requests."""

from __future__ import annotations

import pytest
from reading import epoch, stream, values

from leaven import Worker
from leaven.errors import LeavenError, ParameterError, SampleError
from leaven.stream.quarantine import read_quarantine


class Own:
    """Says itself what a mini-batch is of."""

    def yield_requests(self):
        for first in range(0, 8, 2):
            yield [{"key": f"k{n}", "value": n} for n in (first, first + 1)]


class Draw:
    """A collator that adds a random number."""

    def collate(self, batch, random):
        return {**batch, "drawn": random.random()}


class Whole(Worker):
    """Has one value for the whole batch."""

    def process(self, request):
        return {"value": [item.index for item in request.samples], "count": 3}


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


def test_requests_go_on_where_a_state_is(make):
    loader = make(dataset=Own(), batch_size=4, num_mini_batches=2)
    with loader:
        next(iter(loader))
        state = loader.state_dict()
    again = make(dataset=Own(), batch_size=4, num_mini_batches=2)
    again.load_state_dict(state)
    with again:
        assert epoch(again) == [[4, 5, 6, 7]]
        assert epoch(again) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    with make(dataset=Own(), batch_size=2, start_iteration=3) as loader:
        assert [(iteration, values(samples)) for iteration, samples in loader] == [(3, [6, 7])]


def test_collators_draw_anew_for_each_pass_of_requests(make):
    loader = make(dataset=Own(), batch_size=2, collators=[Draw()])
    with loader:
        drawn = [sample["drawn"] for _ in range(3) for _, (sample,) in loader]
    assert len(set(drawn)) == len(drawn) == 12


def test_a_new_length_is_that_of_the_next_epoch(make):
    with make(10, 2) as loader:
        for iteration, _ in loader:
            if iteration == 2:
                loader.set_length(4)
                state = loader.state_dict()
        assert (state["origin"], state["step"], state["length"]) == (0, 3, 10)
        assert epoch(loader) == [[0, 1], [2, 3]]
        loader.set_length(6)
        assert (loader.state_dict()["origin"], loader.state_dict()["length"]) == (14, 6)
        assert epoch(loader) == [[4, 5], [6, 7], [8, 9]]
    again = make(10, 2)
    again.load_state_dict(state)
    again.set_length(4)
    with again:
        assert epoch(again) == [[6, 7], [8, 9]]
        assert epoch(again) == [[0, 1], [2, 3]]
    with pytest.raises(ParameterError, match="no length"):
        make(endless=True).set_length(4)


def numbers(count):
    return ({"key": f"k{n}", "value": n} for n in range(count))


def test_drop_over_an_iterator_leaves_the_same_samples_out_as_over_a_list(make):
    def loader(dataset):
        return make(dataset=dataset, length=10, last_batch="drop")

    with loader(numbers(40)) as walked, loader([*numbers(40)]) as listed:
        for _ in range(3):
            assert epoch(walked) == epoch(listed)
    states = []
    with loader(numbers(40)) as walked:
        states += [walked.state_dict() for _ in walked]
        assert states[-1] == walked.state_dict()
    again = loader(numbers(40))
    again.load_state_dict(states[-1])
    with again:
        assert epoch(again) == [[10, 11, 12, 13], [14, 15, 16, 17]]


def test_an_iterator_that_ends_for_now_loses_nothing(make):
    class Chunks:
        """Ends after each five samples, and goes on when it is asked again."""

        def __init__(self):
            self.samples = ({"key": "", "value": n} if n >= 0 else None for k in range(3) for n in self.chunk(k))

        def chunk(self, k):
            return [*range(5 * k, 5 * k + 5), -1]

        def __iter__(self):
            return self

        def __next__(self):
            sample = next(self.samples)
            if sample is None:
                raise StopIteration
            return sample

    for nworkers in (0, 2):
        with make(dataset=Chunks(), nworkers=nworkers) as loader:
            assert epoch(loader) == [[0, 1, 2, 3], [4]]
            assert epoch(loader) == [[5, 6, 7, 8], [9]]
            assert epoch(loader) == [[10, 11, 12, 13], [14]]


def test_endless_over_an_iterable_that_can_start_again(make):
    class Again:
        def __iter__(self):
            return numbers(3)

    with make(dataset=Again(), batch_size=2, endless=True) as loader:
        found = [values(samples) for (_, samples), _ in zip(loader, range(4), strict=False)]
    assert found == [[0, 1], [2, 0], [1, 2], [0, 1]]


def test_an_epoch_of_an_iterable_can_be_made_again(make):
    class Again:
        def __iter__(self):
            return numbers(50)

    with make(dataset=Again(), batch_size=2, length=10, shared_memory=2) as loader:
        batches = iter(loader)
        next(batches)
        state = loader.state_dict()
        batches.close()
        for _ in range(3):
            epoch(loader)
        loader.load_state_dict(state)
        assert epoch(loader) == [[2, 3], [4, 5], [6, 7], [8, 9]]


def test_an_iterable_with_a_sample_that_cannot_be_packed_is_like_a_list(make):
    bad = [*numbers(3), {"key": "bad", "value": object()}, *list(numbers(6))[4:]]
    for dataset in (bad, iter(bad)):
        with make(dataset=dataset, on_error="skip", max_errors=1) as loader:
            assert rows(loader) == [[0, 1, 2], [4, 5]]


def test_the_quarantine_has_the_pass_also_where_errors_are_raised(make, tmp_path):
    path = tmp_path / "bad.jsonl"
    dataset = [{"key": f"k{n}", "value": n if n != 5 else object()} for n in range(6)]
    with make(dataset=dataset, batch_size=2, length=4, start_iteration=2, quarantine=path) as loader:
        with pytest.raises(SampleError):
            list(loader)
    (listed,) = read_quarantine(path)
    assert (listed.index, listed.epoch) == (5, 0)


def test_a_worker_without_entries_for_each_sample_cannot_be_padded(make):
    with make(6, worker=Whole(), last_batch="pad") as loader:
        with pytest.raises(LeavenError, match="with padding cannot be put together; use last_batch='keep' or 'drop'"):
            list(loader)


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
        ({"seed": 1.5}, "seed=1.5: expected a whole number"),
        ({"shared_memory": "yes"}, "shared_memory='yes'"),
        ({"shared_memory": -1}, "shared_memory=-1"),
        ({"transform": 3}, "transform=3"),
        ({"trace": 3}, "trace=3"),
        ({"collators": "mixup"}, "expected a list of collators"),
        ({"length": 10**20}, "less than"),
        ({"start_iteration": 10**30}, "less than"),
        ({"start_iteration": 1 << 61}, "position"),
        ({"dataset": iter([{"value": 1}]), "order": "arrival"}, "order='arrival' over an iterable"),
        ({"dataset": Own(), "length": 4}, "says itself what an epoch is of"),
        ({"dataset": Own(), "endless": True}, "says itself what an epoch is of"),
        ({"dataset": Own(), "world_size": 2}, "says itself what an epoch is of"),
    ],
)
def test_what_does_not_go_together(make, options, words):
    with pytest.raises(ParameterError, match=words):
        make(**options)
