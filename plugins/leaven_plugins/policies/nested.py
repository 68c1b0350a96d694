"""Nested policies: what those that are made of others pass on to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from leaven.errors import ParameterError
from leaven.protocols import Policy


def observe(policy: Policy, value: float, epoch: float, begin: float) -> None:
    """Let a policy, whose run is from ``begin`` on, take in what was measured after ``epoch``, if it looks at that."""
    if hasattr(policy, "observe"):
        policy.observe(value, epoch - math.floor(begin))  # after a whole epoch it is whole to the policy, too


def states_of(policies: Sequence[Policy]) -> dict[str, Any]:
    """Return the states of those that have one, by their position."""
    states = {str(place): policy.state_dict() for place, policy in enumerate(policies) if hasattr(policy, "state_dict")}
    return {place: state for place, state in states.items() if state}


def load_states(policies: Sequence[Policy], states: Mapping[str, Any]) -> None:
    """Let policies go on from their states.

    Raises:
        ParameterError: the states are of other policies.
    """
    expected = states_of(policies)
    if states.keys() != expected.keys():
        raise ParameterError(f"the state is of other policies: it has {sorted(states)}, expected {sorted(expected)}")
    for place, state in states.items():
        policies[int(place)].load_state_dict(state)  # type: ignore[attr-defined]  # as it has a state
