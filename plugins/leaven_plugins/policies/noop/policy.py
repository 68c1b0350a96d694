"""Noop: no change."""

from __future__ import annotations


class Noop:
    """The base value, throughout."""

    def value(self, base: float, epoch: float, num_epochs: float) -> float:
        """Return ``base``."""
        return base
