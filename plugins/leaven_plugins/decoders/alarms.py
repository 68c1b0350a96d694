"""Which of the things that decoders count people should be told of."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = ("left to the fallback", "refused")


def alarming(counts: Mapping[str, int]) -> dict[str, int]:
    """Return those of a loader's ``counts`` that stand for images which were not made in the way that was meant."""
    return {name: times for name, times in counts.items() if any(word in name for word in _WORDS)}
