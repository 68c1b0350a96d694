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
        cores_used: on average, in that run.
        step: seconds for which the second computes.
        beside: seconds from batch to batch with the second.
        cores: that there are.
    """

    alone: float
    cores_used: float
    step: float
    beside: float
    cores: int

    @property
    def explained(self) -> float:
        """Seconds from batch to batch that the consumer's time and the number of cores explain."""
        shared = (self.cores_used * self.alone + self.step) / self.cores
        return max(self.alone, self.step, shared)

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
            f"threads starve behind a consumer in Python: with one that computes for {_duration(self.step)} on each "
            f'batch, batches took {self.starved:.1f} times as long as that explains; transport = "zeromq" makes them in processes.'
        )


def _duration(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"
