"""Exp: exponential decay."""

from __future__ import annotations

from dataclasses import dataclass

from leaven_plugins.policies.checks import UNITS, check_choice, check_not_negative, check_positive
from leaven_plugins.policies.progress import passed


@dataclass(frozen=True)
class Exp:
    """``base * factor ** (epoch / every)``: the same factor over any stretch of ``every`` units.

    Args:
        factor: what the value is multiplied with, over ``every`` units. Above 0.
        every: number of units. Above 0.
        unit: what is counted, ``"epoch"`` or ``"step"``.
        last_epoch: how many units were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    factor: float = 0.9
    every: float = 1.0
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("exp", factor=self.factor, every=self.every)
        check_choice("exp", "unit", self.unit, UNITS)
        check_not_negative("exp", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` units, which may be a fraction."""
        return float(base * self.factor ** (passed(epoch, self.last_epoch) / self.every))
