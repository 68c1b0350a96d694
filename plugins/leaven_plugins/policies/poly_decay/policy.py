"""PolyDecay: polynomial decay over a time of its own, down to a floor."""

from __future__ import annotations

from dataclasses import dataclass

from leaven_plugins.policies.checks import UNITS, check_choice, check_not_negative, check_positive
from leaven_plugins.policies.progress import passed


@dataclass(frozen=True)
class PolyDecay:
    """``floor + (base - floor) * (1 - epoch / cutoff) ** power``, and ``floor`` from ``cutoff`` on.

    It ends at a time of its own, whereas :class:`~leaven_plugins.policies.poly.policy.Poly` ends with the run.

    Args:
        cutoff: after how many units it is at its floor. Above 0.
        power: 1 is a straight line, less stays high for longer, more drops sooner. Above 0.
        floor: the lowest value; a base value below it stays as it is.
        unit: what is counted, ``"epoch"`` or ``"step"``.
        last_epoch: how many units were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    cutoff: float
    power: float = 0.9
    floor: float = 1e-4
    unit: str = "epoch"
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("poly_decay", cutoff=self.cutoff, power=self.power)
        check_not_negative("poly_decay", floor=self.floor, last_epoch=self.last_epoch)
        check_choice("poly_decay", "unit", self.unit, UNITS)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` units, which may be a fraction."""
        left = 1 - min(passed(epoch, self.last_epoch) / self.cutoff, 1.0)
        floor = min(self.floor, base)
        return float(floor + (base - floor) * left**self.power)
