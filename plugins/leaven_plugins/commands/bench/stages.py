"""Stages of workers as they are shown: those that can be changed on their own, and one for all others."""

from __future__ import annotations

from collections.abc import Mapping

GROUPS = {
    "read": ("read",),
    "decode": ("decode",),
    "geometry": ("geometry",),
    "photometric": ("photometric",),
    "work": ("prepare", "work"),
    "collate": ("collate",),
    "copy": ("copy",),
    "wait": ("idle",),
}
"""Which of :data:`leaven.stream.board.STAGES` each has; ``other`` has the rest."""


def grouped(stages: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each group; they sum to 1, or are all 0 where nothing is known.

    Args:
        stages: share of the workers' time that each stage had.
    """
    shares = {group: sum(stages.get(stage, 0.0) for stage in members) for group, members in GROUPS.items()}
    known = {stage for members in GROUPS.values() for stage in members}
    return {**shares, "other": sum(share for stage, share in stages.items() if stage not in known)}
