"""Restarts: how soon and how often workers that died may be replaced."""

from __future__ import annotations

_AT_START = 3  # a worker that dies before it is ready is not likely to do better
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 5.0


class Restarts:
    """A budget of deaths in a row, that is without a finished request between them, and pauses that grow.

    Args:
        most: how many in a row may be replaced.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._row = 0
        self._at_start = 0

    def died(self, starting: bool) -> float | None:
        """Return after how many seconds the worker is to be replaced; ``None``: no more.

        Args:
            starting: whether it died before it was ready.
        """
        self._row += 1
        self._at_start = self._at_start + 1 if starting else 0
        if self._row > self._most or self._at_start > _AT_START:
            return None
        return 0.0 if self._row == 1 else min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** (self._row - 2))

    def finished(self) -> None:
        """A request was finished, or a reason for deaths was found and removed."""
        self._row = self._at_start = 0
