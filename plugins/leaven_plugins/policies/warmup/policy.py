"""Warmup: another policy, after or under a linear rise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from leaven.protocols import Policy
from leaven_plugins.policies.checks import (
    UNITS,
    check_choice,
    check_not_negative,
    check_positive,
    check_same_unit,
    check_share,
)
from leaven_plugins.policies.nested import load_states, observe, states_of
from leaven_plugins.policies.progress import passed


@dataclass(frozen=True)
class Warmup:
    """Another policy's value, times a share that rises from ``start`` to 1 along a straight line.

    Args:
        policy: what is warmed up.
        epochs: how long the rise is, in units. Above 0.
        start: the share at first, 0 to 1.
        shifted: hold the other policy at its beginning during the rise; it has the units after that for itself.
        unit: what is counted, ``"epoch"`` or ``"step"``; the other policy counts the same.
        last_epoch: how many units were done when this policy took over; the other one counts from there, too.

    Raises:
        ParameterError: a value is out of range, or the other policy counts something else.
    """

    policy: Policy
    epochs: float = 5.0
    start: float = 0.0
    shifted: bool = False
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("warmup", epochs=self.epochs)
        check_share("warmup", start=self.start)
        check_choice("warmup", "unit", self.unit, UNITS)
        check_not_negative("warmup", last_epoch=self.last_epoch)
        check_same_unit("warmup", self.unit, [self.policy])

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` units, which may be fractions."""
        done, left = passed(epoch, self.last_epoch), num_epochs - self.last_epoch
        share = self.start + (1 - self.start) * min(done / self.epochs, 1.0)
        if self.shifted:
            done = max(done - self.epochs, 0.0)
            left = left - self.epochs if left > self.epochs else 1.0  # a run may end before the rise does
        return share * self.policy.value(base, done, left)

    def observe(self, value: float, epoch: float) -> None:
        """Pass what was measured on to the other policy; during a rise that holds it, its run has not begun."""
        observe(self.policy, value, epoch, self.last_epoch + (self.epochs if self.shifted else 0.0))

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the other policy, nothing where it has none."""
        return states_of([self.policy])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there.

        Raises:
            ParameterError: it is the state of something else.
        """
        load_states([self.policy], state)
