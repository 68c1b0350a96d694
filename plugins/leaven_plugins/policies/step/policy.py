"""Step: less at once, every so often."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leaven_plugins.policies.checks import UNITS, check_choice, check_not_negative, check_positive
from leaven_plugins.policies.progress import passed


@dataclass(frozen=True)
class Step:
    """``base * factor ** floor(epoch / every)``.

    Args:
        factor: what the value is multiplied with. Above 0.
        every: after how many units, each time. Above 0.
        unit: what is counted, ``"epoch"`` or ``"step"``.
        last_epoch: how many units were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    factor: float = 0.1
    every: float = 30.0
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("step", factor=self.factor, every=self.every)
        check_choice("step", "unit", self.unit, UNITS)
        check_not_negative("step", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` units."""
        return float(base * self.factor ** math.floor(passed(epoch, self.last_epoch) / self.every))
