"""Cosine: slowly, fast, and slowly again down to a floor, once or several times."""

from __future__ import annotations

import math
from dataclasses import dataclass

from leaven.errors import ParameterError
from leaven_plugins.policies.checks import check_not_negative, check_positive, check_share
from leaven_plugins.policies.progress import share

_MOST_GROWTH = math.log(1e9)  # of all cycles together; from 1e16 on, some would begin where they end


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the base value down to a share of it, over the run or over each of several cycles.

    From I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.

    Args:
        min_share: where it ends, as a share of the base value, 0 to 1.
        cycles: how many times it goes down during the run; may be a fraction. Above 0.
        growth: how long a cycle is, by the one before. Above 0.
        restart: begin each cycle at the base value. Otherwise every second one goes back up.
        last_epoch: how many epochs were done when this policy took over; its cycles fill the others.

    Raises:
        ParameterError: a value is out of range, cycles grow by more than a factor of 1e9 altogether, or are to grow and
            do not restart.
    """

    min_share: float = 0.0
    cycles: float = 1.0
    growth: float = 1.0
    restart: bool = True
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_share("cosine", min_share=self.min_share)
        check_positive("cosine", cycles=self.cycles, growth=self.growth)
        check_not_negative("cosine", last_epoch=self.last_epoch)
        if abs(self.cycles * math.log(self.growth)) > _MOST_GROWTH:
            raise ParameterError(
                f"cosine: cycles={self.cycles}, growth={self.growth}: the shortest cycle would be too short to be seen"
            )
        if self.growth != 1 and not self.restart:
            raise ParameterError(f"cosine: growth={self.growth}: cycles that do not restart have to be of one length")

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` epochs, both of which may be fractions."""
        position = self._position(share(epoch, num_epochs, self.last_epoch))
        height = (1 + math.cos(math.pi * position)) / 2
        return base * (self.min_share + (1 - self.min_share) * height)

    def _position(self, done: float) -> float:
        """Return how much of a cycle has passed when ``done`` of the run has; without restarts, of all cycles."""
        if not self.restart:
            return done * self.cycles
        last = math.ceil(self.cycles) - 1  # the end of the run is the end of the last cycle, no restart
        begun = min(math.floor(self._cycles_at(done)), last)
        if begun < last and done >= self._start(begun + 1):  # where the line above was rounded down
            begun += 1
        start, end = self._start(begun), self._start(begun + 1)
        return (done - start) / (end - start)

    def _cycles_at(self, done: float) -> float:
        """Return how many cycles are over; a fraction of one counts as such, but not in proportion."""
        if self.growth == 1:
            return done * self.cycles
        return math.log1p(done * (self.growth**self.cycles - 1)) / math.log(self.growth)

    def _start(self, cycle: int) -> float:
        """Return at which share of the run ``cycle`` begins."""
        if self.growth == 1:
            return cycle / self.cycles
        return float((self.growth**cycle - 1) / (self.growth**self.cycles - 1))
