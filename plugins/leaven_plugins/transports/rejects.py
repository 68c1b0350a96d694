"""Rejects: what was thrown away, told now and then."""

from __future__ import annotations

import logging
import time

from leaven.errors import printable

log = logging.getLogger("leaven.transport")

_PAUSE = 10.0  # seconds between two warnings: whoever sends rubbish must not fill the log with it


class Rejects:
    """Counts the messages that were dropped, and warns of them: of the first at once, of further ones in one line.

    Args:
        where: what received them, for the warning.
    """

    def __init__(self, where: str) -> None:
        self.count = 0
        self._where = where
        self._told = 0
        self._quiet_until = 0.0

    def add(self, reason: str) -> None:
        """Count one; ``reason`` says what was wrong with it."""
        self.count += 1
        now = time.monotonic()
        if now < self._quiet_until:
            return
        dropped, text = self.count - self._told, printable(reason)
        log.warning("%s: %d malformed message%s dropped: %s", self._where, dropped, "s" * (dropped > 1), text)
        self._told = self.count
        self._quiet_until = now + _PAUSE
