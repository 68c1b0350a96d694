"""SilentLogger: nothing is written."""

from __future__ import annotations

from typing import Any


class SilentLogger:
    """Takes records and drops them."""

    def log(self, **fields: Any) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
