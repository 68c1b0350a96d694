"""Counting what became of images."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from leaven_plugins.repacking.repacker import ALREADY, INDEXED, REPACKED


@dataclass
class Tally:
    """What became of images.

    Attributes:
        outcomes: how often each outcome was the one.
        before: size of all images in bytes.
        after: the same afterwards.
        failed: how many were left alone because a file could not be read or written.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    before: int = 0
    after: int = 0
    failed: int = 0

    def add(self, outcome: str, before: int, after: int, failed: bool = False) -> None:
        """Count one image."""
        self.outcomes[outcome] += 1
        self.before += before
        self.after += after
        self.failed += failed

    @property
    def images(self) -> int:
        """How many there were."""
        return self.outcomes.total()

    @property
    def left(self) -> dict[str, int]:
        """Why images were left alone, and how many for each reason."""
        fine = (REPACKED, INDEXED, ALREADY)
        return {outcome: count for outcome, count in self.outcomes.most_common() if outcome not in fine}

    @property
    def changed(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.outcomes[REPACKED] or self.outcomes[INDEXED])
