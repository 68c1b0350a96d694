"""Every sampler in a loader: with workers, ranks, and after a resume the order is the same."""

from __future__ import annotations

import numpy as np
import pytest

import leaven
from leaven import TurboDataLoader
from leaven_plugins.samplers.weighted.sampler import Weighted

SAMPLERS = {
    "subset": {"use": "subset", "indices": [3, 1, 4, 15, 9, 2, 6, 5], "shuffle": True},
    "weighted": {"use": "weighted", "weights": [float(n) for n in range(22)]},
    "weighted, made by hand": Weighted(np.arange(22.0), indices=np.arange(22)),
    "weighted once": {"use": "weighted", "weights": "weight", "replacement": False},
    "class_balanced": "class_balanced(length=17)",
    "balanced_epoch": "balanced_epoch",
    "semi": "semi(1, 2, length='all')",
    "repeated": {"use": "repeated", "times": 3, "sampler": {"use": "blocks", "size": 4, "window": 2}},
    "blocks": "blocks(4, 2)",
}


@pytest.fixture(params=SAMPLERS)
def make(request):
    import labeled_parts
    import loader_parts

    dataset = leaven.create(labeled_parts.LabeledNumbers, size=22, unlabeled=request.param == "semi")

    def make(nworkers=0, batch_size=4, **options):
        sampler = SAMPLERS[request.param]
        return TurboDataLoader(dataset, batch_size, loader_parts.Echo(), nworkers, sampler=sampler, seed=5, **options)

    return make


def values(loader):
    """One epoch: the values of each iteration."""
    return [[value for value in sample["value"][:, 0].tolist() if value >= 0] for _, (sample,) in loader]


def test_workers_ranks_and_resuming_change_nothing(make):
    with make() as loader:
        epochs = [values(loader) for _ in range(3)]
    assert epochs[0] != epochs[1]
    with make(nworkers=2) as loader:
        assert values(loader) == epochs[0]
        next(iter(loader))
        state = loader.state_dict()
    with make() as second:
        second.load_state_dict(state)
        assert [values(second), values(second)] == [epochs[1][1:], epochs[2]]


def test_ranks_share_the_batches(make):
    with make(batch_size=8) as loader:
        whole = values(loader)
    shares = []
    for rank in range(2):
        with make(rank=rank, world_size=2, last_batch="keep") as loader:
            shares.append(values(loader))
    together = [sorted(one + other) for one, other in zip(*shares, strict=True)]
    assert together == [sorted(batch) for batch in whole]
