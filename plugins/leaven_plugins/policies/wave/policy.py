"""Wave: up and down again and again, less and less."""

from __future__ import annotations

from dataclasses import dataclass

from leaven_plugins.policies.checks import UNITS, check_choice, check_not_negative, check_positive
from leaven_plugins.policies.progress import passed


@dataclass(frozen=True)
class Wave:
    """A triangle wave from half of the base value up to all of it and back, each one flatter than the last.

    It is the cyclical rate of L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", WACV 2017, between
    these two bounds: wave ``i``, counted from 0, rises by ``base / 2 * dampen ** i``.

    Args:
        period: how long one wave is, in units. Above 0.
        dampen: how high a wave is, by the one before. Above 0.
        unit: what is counted, ``"epoch"`` or ``"step"``.
        last_epoch: how many units were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    period: float
    dampen: float = 1.0
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("wave", period=self.period, dampen=self.dampen)
        check_choice("wave", "unit", self.unit, UNITS)
        check_not_negative("wave", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` units, which may be a fraction."""
        wave, within = divmod(passed(epoch, self.last_epoch) / self.period, 1.0)
        height = 1 - abs(2 * within - 1)
        return float(base / 2 * (1 + height * self.dampen**wave))
