"""Dec, LinDec, Updates: values that change at whole steps, as functions of the number of steps done.

They were properties of training in ELEKTRONN2 (``Schedule``, https://github.com/ELEKTRONN/ELEKTRONN2), where each value
was made from the one before. Here a value depends on the step alone, so that a run can be gone on with anywhere.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from leaven.errors import ParameterError
from leaven_plugins.policies.checks import check_not_negative, check_positive
from leaven_plugins.policies.progress import passed

EVERY = 1000
"""After how many steps ``Dec`` and ``LinDec`` change a value."""


@dataclass(frozen=True)
class Dec:
    """``base * factor ** floor(step / 1000)``.

    Args:
        factor: what the value is multiplied with, every 1000 steps. Above 0.
        last_epoch: how many steps were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    unit: ClassVar[str] = "step"

    factor: float
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("dec", factor=self.factor)
        check_not_negative("dec", last_epoch=self.last_epoch)

    def value(self, base: Any, epoch: float, num_epochs: float) -> Any:
        """Return the value after ``epoch`` steps; ``base`` may be a list, of which each entry has its own."""
        factor = self.factor ** (passed(epoch, self.last_epoch) // EVERY)
        return _each(base, lambda part: part * factor)


@dataclass(frozen=True)
class LinDec:
    """``base - initial * 1000 * floor(step / 1000) / steps``, but not below 0; exactly 0 from step ``steps`` on.

    Args:
        steps: when it is 0. Above 0.
        initial: what is taken off until then, by default the base value.
        last_epoch: how many steps were done when this policy took over.

    Raises:
        ParameterError: a value is out of range.
    """

    unit: ClassVar[str] = "step"

    steps: float
    initial: float | None = None
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_positive("lindec", steps=self.steps)
        check_not_negative("lindec", initial=self.initial or 0.0, last_epoch=self.last_epoch)

    def value(self, base: Any, epoch: float, num_epochs: float) -> Any:
        """Return the value after ``epoch`` steps; ``base`` may be a list, of which each entry has its own."""
        done = passed(epoch, self.last_epoch)
        share = EVERY * (done // EVERY) / self.steps
        if done >= self.steps:
            return _each(base, lambda part: part * 0.0)
        return _each(base, lambda part: max(part - (part if self.initial is None else self.initial) * share, 0.0))


@dataclass(frozen=True)
class Updates:
    """The base value, and given values from given steps on.

    Args:
        updates: pairs of a step and the value from there on, by rising steps; a value may be a list, with one entry for
            each layer or parameter group.
        last_epoch: how many steps were done when this policy took over; the steps count from there.

    Raises:
        ParameterError: there are no updates, or their steps do not rise.
    """

    unit: ClassVar[str] = "step"

    updates: Sequence[Sequence[Any]]
    last_epoch: float = 0.0

    def __post_init__(self) -> None:
        check_not_negative("updates", last_epoch=self.last_epoch)
        if not self.updates or not all(len(update) == 2 for update in self.updates):
            raise ParameterError(f"updates: {self.updates}: expected pairs [step, value], one or more")
        steps = [step for step, _ in self.updates]
        if not all(before < after for before, after in pairwise((-math.inf, *steps))):
            raise ParameterError(f"updates: the steps {steps} must rise")

    def value(self, base: Any, epoch: float, num_epochs: float) -> Any:
        """Return the value after ``epoch`` steps: ``base``, or what stands in ``updates``."""
        done = passed(epoch, self.last_epoch)
        place = bisect_right([step for step, _ in self.updates], done)
        return self.updates[place - 1][1] if place else base


def _each(base: Any, change: Callable[[Any], Any]) -> Any:
    return [change(part) for part in base] if isinstance(base, (list, tuple)) else change(base)
