"""The contract of policies fails for one that breaks it, in the check that is about it."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import pytest

from leaven.testing import PolicyContract


class Suite(PolicyContract):
    spec = "policy:of_this_test"


class Good:
    """A line, lowered by each observation."""

    def __init__(self):
        self.seen = 0

    def value(self, base, epoch, num_epochs):
        return max(base * (1 - epoch / num_epochs) / (1 + self.seen), 0.0)

    def observe(self, value, epoch):
        self.seen += 1

    def state_dict(self):
        return {"seen": self.seen}

    def load_state_dict(self, state):
        self.seen = state["seen"]


class Nothing:
    pass


class InDays(Good):
    unit = "day"


class Whole(Good):
    def value(self, base, epoch, num_epochs):
        return 0


class Infinite(Good):
    def value(self, base, epoch, num_epochs):
        return float("inf")


class Negative(Good):
    def value(self, base, epoch, num_epochs):
        return base * (1 - 1.1 * epoch / num_epochs)


class TooHigh(Good):
    def value(self, base, epoch, num_epochs):
        return base * (1 + epoch)


class FromTheLast(Good):
    last = 1.0

    def value(self, base, epoch, num_epochs):
        self.last *= 0.99
        return base * self.last


class Forgetful(Good):
    def load_state_dict(self, state):
        pass


FAULTS = [
    (Nothing, "it_has_what_a_policy_has"),
    (InDays, "it_has_what_a_policy_has"),
    (Whole, "values_are_numbers_in_range"),
    (Infinite, "values_are_numbers_in_range"),
    (Negative, "values_are_numbers_in_range"),
    (TooHigh, "values_are_numbers_in_range"),
    (FromTheLast, "it_is_a_function"),
    (Forgetful, "what_it_has_observed_can_be_saved"),
]


def checked(kind, check):
    """Run one check of the contract, which gets what fixtures would give."""
    test = getattr(Suite(), f"test_{check}")
    fixtures = {"policy": kind(), "registry": SimpleNamespace(create=lambda spec: kind()), "arguments": {}}
    test(**{name: fixtures[name] for name in inspect.signature(test).parameters})


@pytest.mark.parametrize(("kind", "check"), FAULTS)
def test_a_fault_is_found(kind, check):
    with pytest.raises(AssertionError):
        checked(kind, check)


@pytest.mark.parametrize("check", sorted({check for _, check in FAULTS}))
def test_a_good_one_passes(check):
    checked(Good, check)


def test_each_check_has_a_fault_that_it_finds():
    own = {name.removeprefix("test_") for name in vars(PolicyContract) if name.startswith("test_")}
    assert own == {check for _, check in FAULTS}
