"""Whether workers that are threads starve behind a consumer that computes in Python."""

from __future__ import annotations

from dataclasses import dataclass

_ODD = 1.5
"""How many times slower than explained counts as starving: two that take turns are 2, runs differ by 1.1."""


@dataclass(frozen=True)
class Company:
    """One loader with two consumers: one that does nothing, and one that computes in Python on each batch.

    Attributes:
        alone: seconds from batch to batch with the first.
        step: seconds for which the second computes.
        beside: seconds from batch to batch with the second.
        slowed: how many times fewer cores threads got of those that they could use, with the second.
    """

    alone: float
    step: float
    beside: float
    slowed: float = 1.0

    @property
    def explained(self) -> float:
        """Seconds from batch to batch that the consumer's time and the lack of cores explain."""
        return max(self.alone * max(self.slowed, 1.0), self.step)

    @property
    def starved(self) -> float:
        """How many times longer it took than that, at least 1."""
        return max(1.0, self.beside / self.explained) if self.explained > 0 else 1.0

    @property
    def warning(self) -> str:
        """What to say of it; ``""`` where nothing is odd."""
        if self.starved < _ODD:
            return ""
        return (
            f"threads starve behind a consumer in Python: with one that computes for {self.step * 1e3:.3g} ms on each "
            f"batch, batches took {self.starved:.1f} times as long as that explains; "
            'set transport = "zeromq", for processes'
        )
