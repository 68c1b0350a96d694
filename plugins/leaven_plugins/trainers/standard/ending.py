"""Ending: when a run is over before its last epoch."""

from __future__ import annotations

from collections.abc import Callable

from leaven.errors import ParameterError

ORDINARY = ("max_steps", "max_seconds")
"""Reasons after which the network is still validated: nobody waits."""


class Ending:
    """Limits of a run, and requests to stop.

    Args:
        max_steps: of the optimizer; 0 for no limit.
        max_seconds: since :meth:`begin`; 0 for no limit.
        clock: seconds, rising.

    Raises:
        ParameterError: a limit is negative.
    """

    def __init__(self, max_steps: int, max_seconds: float, clock: Callable[[], float]) -> None:
        if max_steps < 0 or max_seconds < 0:
            raise ParameterError(f"trainer standard: max_steps={max_steps}, max_seconds={max_seconds}: 0 or more")
        self.max_steps = max_steps
        self._max_seconds = max_seconds
        self._clock = clock
        self._began = clock()
        self._reason: str | None = None

    def begin(self) -> None:
        """Start the clock, and forget earlier requests."""
        self._began, self._reason = self._clock(), None

    def ask(self, reason: str) -> None:
        """Ask for the end; the first reason counts."""
        self._reason = self._reason or reason

    def is_wanted(self) -> bool:
        """Return whether this process has a reason to stop that others do not know of."""
        if self._max_seconds and self._clock() - self._began >= self._max_seconds:
            self.ask("max_seconds")
        return self._reason is not None

    def after_step(self, steps: int, told: bool) -> str | None:
        """Return why the run ends after so many steps, if it does.

        Args:
            steps: of the optimizer, in all.
            told: all processes know that one of them wants to stop.
        """
        if self.max_steps and steps >= self.max_steps:
            return "max_steps"
        return (self._reason or "another process was asked to stop") if told else None
