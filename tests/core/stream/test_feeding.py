"""A feed that begins a batch before it is asked for: nothing changes but when it begins."""

from __future__ import annotations

import time

import pytest

from leaven.errors import LeavenError, SampleError


class Early:
    """A feed that notes what was begun and what was handed out, by the first value of the batch."""

    def __init__(self):
        self.notes = []

    def __call__(self, sample):
        return self.ahead(sample)()

    def ahead(self, sample):
        sample = {key: list(value) for key, value in sample.items()}  # the slot is free from here on
        first = int(sample["value"][0][0])
        self.notes.append(("begun", first))

        def complete():
            self.notes.append(("handed", first))
            return sample

        return complete


def values(mini_batches):
    return [int(value[0]) for sample in mini_batches for value in sample["value"]]


def until_ready(loader):
    """Wait until the loader has what comes next."""
    deadline = time.monotonic() + 20
    while not loader._engine.ready(loader._arrival):
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def early():
    return Early()


@pytest.fixture
def ahead(make, early):
    """Make a loader with the feed, and threads that work while nobody waits."""

    def made(**options):
        return make(**{"size": 12, "batch_size": 2, "nworkers": 1, "transport": "threads", "feed": early, **options})

    return made


def test_the_next_batch_is_begun_before_this_one_is_handed_over(ahead, early):
    with ahead() as loader:
        batches = iter(loader)
        next(batches)
        until_ready(loader)
        _, second = next(batches)
        assert values(second) == [2, 3]
        assert early.notes[-3:] == [("begun", 2), ("handed", 2), ("begun", 4)]
        before = len(early.notes)
        next(batches)
        assert early.notes[before] == ("handed", 4)


@pytest.mark.parametrize("order", ["position", "arrival"])
@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("nworkers", [0, 2])
def test_epochs_have_the_same_batches(ahead, make, order, cut, nworkers):
    common = {"nworkers": nworkers, "num_mini_batches": cut, "order": order, "size": 11, "batch_size": 4}
    common["transport"] = "threads" if nworkers else "inline"
    with ahead(**common) as loader, make(size=11, batch_size=4, num_mini_batches=cut) as plain:
        for _ in range(2):
            found = [values(mini_batches) for _, mini_batches in loader]
            expected = [sample["value"][:, 0].tolist() for _, batches in plain for sample in batches]
            if order == "position":
                assert sum(found, []) == sum(expected, [])
            assert sorted(sum(found, [])) == list(range(11))


def test_the_state_counts_what_was_handed_out(ahead, early):
    with ahead() as loader:
        batches = iter(loader)
        next(batches)
        until_ready(loader)
        next(batches)
        assert ("begun", 4) in early.notes
        state = loader.state_dict()
    with ahead(transport="inline") as again:
        again.load_state_dict(state)
        assert [values(mini_batches) for _, mini_batches in again] == [[4, 5], [6, 7], [8, 9], [10, 11]]


def test_what_was_begun_comes_again_after_a_break(ahead, early):
    source = iter([{"value": i, "key": str(i)} for i in range(8)])
    with ahead(dataset=source) as loader:
        batches = iter(loader)
        assert values(next(batches)[1]) == [0, 1]
        until_ready(loader)
        assert values(next(batches)[1]) == [2, 3]
        assert [values(mini_batches) for _, mini_batches in loader] == [[4, 5], [6, 7]]
        with pytest.raises(LeavenError, match="this iteration is over"):
            next(batches)


def test_an_error_waits_for_its_turn(ahead, parts):
    with ahead(worker=parts.Echo(fail_at=4)) as loader:
        batches = iter(loader)
        next(batches)
        until_ready(loader)
        assert values(next(batches)[1]) == [2, 3]  # the error is known by now
        with pytest.raises(SampleError, match="cannot stand 4"):
            next(batches)


def test_closing_lets_go_of_what_was_begun(ahead):
    with ahead() as loader:
        batches = iter(loader)
        next(batches)
        until_ready(loader)
        next(batches)
    with pytest.raises(LeavenError, match="has been closed"):
        next(batches)
