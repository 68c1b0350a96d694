"""Poly: polynomial decay to zero."""

from __future__ import annotations

from dataclasses import dataclass

from leaven_plugins.policies.checks import check_not_negative, check_positive
from leaven_plugins.policies.progress import share


@dataclass(frozen=True)
class Poly:
    """``base * (1 - epoch / num_epochs) ** power``; zero from ``num_epochs`` on.

    Args:
        power: 1 is a straight line, less stays high for longer, more drops sooner. Above 0.
        last_epoch: how many epochs were done when this policy took over; it decays over the others.

    Raises:
        ParameterError: ``power`` is not above 0, or ``last_epoch`` below 0.
    """

    power: float = 0.5
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("poly", power=self.power)
        check_not_negative("poly", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` epochs, both of which may be fractions."""
        return float(base * (1 - share(epoch, num_epochs, self.last_epoch)) ** self.power)
