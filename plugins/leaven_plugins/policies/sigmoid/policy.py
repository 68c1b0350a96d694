"""Sigmoid: high at first, low in the end, and steepest in the middle."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leaven_plugins.policies.checks import check_at_most, check_not_negative, check_positive
from leaven_plugins.policies.progress import share


@dataclass(frozen=True)
class Sigmoid:
    """``base / (1 + exp(q * (2 * epoch / num_epochs - 1)))``: half of the base value in the middle of the run.

    Args:
        q: how steep it is. With 6, the run begins at 99.8 % of the base value and ends at 0.2 % of it. Above 0, at
            most 700, where a float ends.
        last_epoch: how many epochs were done when this policy took over; it decays over the others.

    Raises:
        ParameterError: a value is out of range.
    """

    q: float = 6.0
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("sigmoid", q=self.q)
        check_at_most("sigmoid", 700, q=self.q)
        check_not_negative("sigmoid", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` epochs, both of which may be fractions."""
        return base / (1 + math.exp(self.q * (2 * share(epoch, num_epochs, self.last_epoch) - 1)))
