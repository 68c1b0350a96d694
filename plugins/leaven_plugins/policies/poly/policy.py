"""Poly: polynomial decay to zero."""

from __future__ import annotations

from dataclasses import dataclass

from leaven.errors import ParameterError


@dataclass(frozen=True)
class Poly:
    """``base * (1 - epoch / num_epochs) ** power``; zero from ``num_epochs`` on.

    Args:
        power: 1 is a straight line, less stays high for longer, more drops sooner. Above 0.

    Raises:
        ParameterError: ``power`` is not above 0.
    """

    power: float = 0.5

    def __post_init__(self) -> None:
        if not self.power > 0:
            raise ParameterError(f"poly: power={self.power}: must be above 0")

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` epochs; both may be fractions, ``num_epochs`` above 0."""
        return float(base * (1 - min(epoch / num_epochs, 1.0)) ** self.power)
