"""KappaData's semi_sampler/ and weighted_sampler/ cases, which are drawn by torch's generator: what holds for both."""

from __future__ import annotations

import json

import numpy as np
import pytest

from leaven_plugins.samplers.semi.sampler import Semi
from leaven_plugins.samplers.weighted.sampler import Weighted


class Labels:
    def __init__(self, labels):
        self.labels = np.array(labels)

    def __len__(self):
        return len(self.labels)

    def getall_label(self):
        return self.labels


@pytest.fixture
def cases(golden):
    index = json.loads((golden / "kappadata.index.json").read_text("utf-8"))

    def read(family):
        with np.load(golden / index["npz"], allow_pickle=False) as arrays:
            for case in index["cases"]:
                if case["id"].startswith(f"{family}/"):
                    args = case["args"]
                    if "weights" in args:
                        args["weights"] = arrays[args["weights"]["$array"].replace("/", "|")]
                    yield args, case["expected"]

    return read


def test_semi_has_the_same_length_and_turns(cases):
    found = list(cases("semi_sampler"))
    assert len(found) >= 5
    for args, expected in found:
        dataset = Labels(args["classes"])
        sampler = Semi(args["num_labeled"], args["num_unlabeled"], args["length_mode"])
        passes = sampler.over(dataset, args["seed"])
        indices = passes.indices(0, np.arange(passes.length))
        assert (dataset.labels[indices] < 0).tolist() == (dataset.labels[expected] < 0).tolist()
        for group in (dataset.labels < 0, dataset.labels >= 0):
            counts = [np.sort(np.bincount(one, minlength=len(dataset))[group]) for one in (indices, expected)]
            np.testing.assert_array_equal(*counts)


def test_weighted_draws_as_many_and_none_twice(cases):
    found = list(cases("weighted_sampler"))
    assert len(found) >= 3
    for args, expected in found:
        sampler = Weighted(args["weights"], args["size"], replacement=False)
        passes = sampler.over(range(len(args["weights"])), args["seed"])
        indices = passes.indices(0, np.arange(passes.length))
        assert len(set(indices.tolist())) == len(set(expected)) == len(indices)
        assert (args["weights"][indices] > 0).all()
