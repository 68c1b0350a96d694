"""Ramp: from nothing up to the base value."""

from __future__ import annotations

from dataclasses import dataclass

from leaven_plugins.policies.checks import UNITS, check_choice, check_not_negative, check_positive
from leaven_plugins.policies.progress import passed


@dataclass(frozen=True)
class Ramp:
    """``base * epoch / ramp_epochs``, and the base value from ``ramp_epochs`` on.

    A rise that goes on as another policy is :class:`~leaven_plugins.policies.warmup.policy.Warmup`.

    Args:
        ramp_epochs: how long the rise is, in units. Above 0.
        unit: what is counted, ``"epoch"`` or ``"step"``.
        last_epoch: how many units were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    ramp_epochs: float = 1.0
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("ramp", ramp_epochs=self.ramp_epochs)
        check_choice("ramp", "unit", self.unit, UNITS)
        check_not_negative("ramp", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` units."""
        return base * min(passed(epoch, self.last_epoch) / self.ramp_epochs, 1.0)
