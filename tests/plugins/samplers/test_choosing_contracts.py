"""The contract of samplers, for those that show samples more than once, or not at all."""

from __future__ import annotations

import pytest
from labeled_parts import LabeledNumbers

from leaven.testing import SamplerContract


class OfLabels(SamplerContract):
    exact = False
    largest = 10_000
    unlabeled = False

    def dataset(self, length):
        return LabeledNumbers(length, self.unlabeled)


class TestSubset(OfLabels):
    spec = "sampler:subset"
    params = {"indices": [0] * 100}


class TestShuffledSubset(OfLabels):
    spec = "sampler:subset"
    params = {"indices": [0] * 70, "shuffle": True}


class TestWeighted(OfLabels):
    spec = "sampler:weighted"
    params = {"weights": "weight"}


class TestWeightedOnce(OfLabels):
    spec = "sampler:weighted"
    params = {"weights": "weight", "replacement": False}
    exact = True


class TestClassBalanced(OfLabels):
    spec = "sampler:class_balanced"
    params = {"length": 300}


class TestBalancedEpoch(OfLabels):
    spec = "sampler:balanced_epoch"


class TestBalancedInOrder(OfLabels):
    spec = "sampler:balanced_epoch"
    params = {"samples_per_class": 40, "shuffle": False}


class TestSemi(OfLabels):
    spec = "sampler:semi"
    params = {"unlabeled": 2, "length": "all"}
    unlabeled = True

    @pytest.fixture(autouse=True)
    def no_single_samples(self, monkeypatch):
        """One sample alone cannot be both with and without a label."""
        monkeypatch.setattr("leaven.testing.sampler._LENGTHS", (2, 3, 10, 97, 1000))


class TestRepeated(SamplerContract):
    spec = "sampler:repeated"
    params = {"times": 3, "sampler": "blocks"}
    exact = False
