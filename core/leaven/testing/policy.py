"""PolicyContract: what a trainer relies on in a policy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from leaven.protocols import Policy
from leaven.registry.registry import Registry
from leaven.testing.component import ComponentContract

_BASES = (0.3, 1.0, 5e-4)
_OBSERVED = (1.0, 0.5, 0.7, float("nan"), 0.6, 0.6, 0.4, 0.5, 0.5, 0.5)


class PolicyContract(ComponentContract):
    """The contract of policies.

    Attributes:
        length: of the run that is looked at, in what the policy counts; a whole number.
        highest: the largest value that it may have, as a share of the base value.
    """

    length: ClassVar[int] = 12
    highest: ClassVar[float] = 1.0

    @pytest.fixture
    def policy(self, component: Policy) -> Policy:
        """A new policy."""
        return component

    def test_it_has_what_a_policy_has(self, policy: Any) -> None:
        """It gives values, and counts epochs or steps."""
        assert isinstance(policy, Policy)
        assert getattr(policy, "unit", "epoch") in ("epoch", "step")

    def test_values_are_numbers_in_range(self, policy: Policy) -> None:
        """From 0 to the base value, before the first step, after the last one, and in between."""
        for (base, epoch), value in self._values(policy).items():
            assert type(value) is float
            assert math.isfinite(value)
            assert 0 <= value <= self.highest * base * (1 + 1e-9), f"{value} after {epoch} of {self.length}"

    def test_it_is_a_function(self, policy: Policy, registry: Registry, arguments: Mapping[str, Any]) -> None:
        """Values do not depend on what was asked for before: a run is gone on with anywhere."""
        there = self._values(policy)
        again = registry.create(self.spec, **arguments)
        back = {place: again.value(*place, self.length) for place in reversed(there)}
        assert back == there

    def test_what_it_has_observed_can_be_saved(
        self, policy: Any, registry: Registry, arguments: Mapping[str, Any]
    ) -> None:
        """Where it observes at all: another one goes on from its state, and observes on alike."""
        if hasattr(policy, "observe"):
            for epoch, value in enumerate(_OBSERVED, 1):
                again = registry.create(self.spec, **arguments)
                again.load_state_dict(policy.state_dict())
                assert self._values(again) == self._values(policy)
                policy.observe(value, epoch)
                again.observe(value, epoch)
                assert self._values(again) == self._values(policy)

    def _values(self, policy: Policy) -> dict[tuple[float, float], float]:
        is_whole = getattr(policy, "unit", "epoch") == "step"
        epochs = [part / (1 if is_whole else 4) for part in range(self.length * (1 if is_whole else 4) + 1)]
        return {(base, epoch): policy.value(base, epoch, self.length) for base in _BASES for epoch in epochs}
