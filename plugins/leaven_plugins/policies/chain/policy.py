"""Chain: one policy after another."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from leaven.errors import ParameterError
from leaven.protocols import Policy
from leaven_plugins.policies.checks import UNITS, check_choice, check_not_negative, check_same_unit
from leaven_plugins.policies.nested import load_states, observe, states_of


@dataclass(frozen=True)
class Chain:
    """Several policies, each for a stretch of the run, which is to it as if it were the whole run.

    Each of them starts from the base value again, not from where the one before has ended.

    Args:
        policies: the policies, in order; one or more.
        until: when each of them but the last ends, in units: rising, above ``last_epoch``, one less than there are
            policies. The last one ends with the run.
        unit: what is counted, ``"epoch"`` or ``"step"``; all policies count the same.
        last_epoch: how many units were done when this policy took over; the first of them begins there.

    Raises:
        ParameterError: the times do not rise, are too few or too many, a policy counts something else, or one
            that looks at what is measured is to count steps.
    """

    policies: Sequence[Policy]
    until: Sequence[float]
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_choice("chain", "unit", self.unit, UNITS)
        check_not_negative("chain", last_epoch=self.last_epoch)
        if not self.policies or len(self.until) != len(self.policies) - 1:
            raise ParameterError(
                f"chain: until={list(self.until)}: {len(self.policies)} policies need one time less than that"
            )
        if not all(before < after for before, after in pairwise((self.last_epoch, *self.until))):
            raise ParameterError(f"chain: until={list(self.until)}: must rise, from last_epoch={self.last_epoch:g} on")
        check_same_unit("chain", self.unit, self.policies)
        if self.unit == "step" and self.state_dict():
            raise ParameterError("chain: unit='step': what is measured comes with epochs, so its policies must, too")

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` units; a stretch is over at its end, unless the run is."""
        begins = (self.last_epoch, *self.until)
        place = min(bisect_right(self.until, epoch), bisect_left(self.until, num_epochs))
        ends = self.until[place] if place < len(self.until) else num_epochs
        return self.policies[place].value(base, max(epoch - begins[place], 0.0), ends - begins[place])

    def observe(self, value: float, epoch: float) -> None:
        """Pass what was measured after ``epoch`` epochs on to the policy in whose stretch the last of them was."""
        place = bisect_left(self.until, epoch)
        observe(self.policies[place], value, epoch, (self.last_epoch, *self.until)[place])

    def state_dict(self) -> dict[str, Any]:
        """Return the states of the policies that have one."""
        return states_of(self.policies)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            ParameterError: it is the state of something else.
        """
        load_states(self.policies, state)
