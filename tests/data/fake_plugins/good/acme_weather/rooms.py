"""What the door declares."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rain:
    """Streaks of water."""

    prob: float = 0.5

    def __post_init__(self):
        if not 0 <= self.prob <= 1:
            raise ValueError(f"prob {self.prob!r} is not within 0 and 1")


class Snow:
    """White dots."""

    def __init__(self, size: int = 1):
        self.size = size


class Gale:
    """Strong draws."""

    def __init__(self, strength: float, gusts: bool = False):
        self.strength = strength
        self.gusts = gusts
