"""OneCycle: up from a low value to the base value, and down to almost nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaven_plugins.policies.checks import check_choice, check_not_negative, check_positive, check_share
from leaven_plugins.policies.progress import share

_HEIGHTS: Mapping[str, Callable[[float], float]] = {
    "cos": lambda done: (1 - math.cos(math.pi * done)) / 2,
    "linear": lambda done: done,
}


@dataclass(frozen=True)
class OneCycle:
    """The one-cycle policy; the base value is its peak.

    From L. N. Smith and N. Topin, "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning
    Rates", 2018. Time is continuous here: the peak is after ``pct_start`` of the run. In torch's ``OneCycleLR`` the
    first of ``n`` steps is the start and the last the end, so that it is as if the run had ``n - 1``.

    Args:
        pct_start: which share of the run is spent on the way up, 0 to 1.
        anneal_strategy: the way up and down: ``"cos"``, half a cosine, or ``"linear"``.
        div_factor: it starts at the base value divided by this. Above 0.
        final_div_factor: it ends at the start value divided by this. Above 0.
        last_epoch: how many epochs were done when this policy took over; its cycle fills the others.

    Raises:
        ParameterError: a value is out of range.
    """

    pct_start: float = 0.3
    anneal_strategy: str = "cos"
    div_factor: float = 25.0
    final_div_factor: float = 1e4
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_share("one_cycle", pct_start=self.pct_start)
        check_choice("one_cycle", "anneal_strategy", self.anneal_strategy, tuple(_HEIGHTS))
        check_positive("one_cycle", div_factor=self.div_factor, final_div_factor=self.final_div_factor)
        check_not_negative("one_cycle", last_epoch=self.last_epoch)

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return the value after ``epoch`` of ``num_epochs`` epochs, both of which may be fractions."""
        done, start = share(epoch, num_epochs, self.last_epoch), base / self.div_factor
        if done < self.pct_start:
            return self._between(start, base, done / self.pct_start)
        end = start / self.final_div_factor
        return self._between(base, end, (done - self.pct_start) / (1 - self.pct_start)) if done < 1 else end

    def _between(self, start: float, end: float, done: float) -> float:
        height = _HEIGHTS[self.anneal_strategy](done)
        return start + (end - start) * height
