"""Found: what the losses at rising rates say about the rate to train with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DIVERGED = 4.0
"""So many times the lowest loss is no longer training."""
_CLEAR = 0.02
"""A fall is at least this share of the loss at the start ..."""
_NOISES = 6.0
"""... and so many standard deviations of the smoothed loss. Of noise alone, 2 of 1000 curves of 20
steps fell so far, and none of 5000 longer ones."""

_Values = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """What a range test gave.

    Attributes:
        rates: of each step.
        losses: before each step, the mean over its rows.
        smoothed: the same without most of the noise, cut off where it diverges.
        diverged: whether the test ended before its last rate, because the loss had become far too large.
        suggestion: the rate at which the smoothed loss falls most steeply; ``None`` where there is no answer.
        tenth: a tenth of the rate at which it is lowest, likewise.
        remark: why there is no answer, or what to mind about it; or empty.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    diverged: bool
    suggestion: float | None = None
    tenth: float | None = None
    remark: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)


class Watch:
    """Follows a loss, and says when it has diverged.

    Args:
        steps: how many there will be.
    """

    def __init__(self, steps: int) -> None:
        self._kept = memory_of(steps)
        self._sum = self._weight = 0.0
        self._best = float("inf")

    def diverges_at(self, loss: float) -> bool:
        """Return whether the running mean is four times its lowest value with this loss, or no number any more."""
        self._sum = self._kept * self._sum + (1 - self._kept) * loss
        self._weight = self._kept * self._weight + 1 - self._kept
        mean = self._sum / self._weight
        self._best = min(self._best, mean)
        return not mean <= ceiling(self._best)


def judged(rates: Sequence[float], losses: Sequence[float], steps: int, diverged: bool) -> Found:
    """Return what is to be made of the losses at rising rates.

    Args:
        rates: by which factor to factor they rose evenly.
        losses: finite, as many.
        steps: how many there would have been.
        diverged: whether the test ended because of the loss.
    """
    if len(losses) < 3:
        remark = f"the loss diverged within {len(losses) + 1} steps; try a lower --from"
        return Found(tuple(rates), tuple(losses), tuple(losses), diverged, remark=remark)
    values = np.asarray(losses)
    smoothed = _smoothed(values, memory_of(steps))
    found = Found(tuple(rates), tuple(losses), tuple(smoothed.tolist()), diverged)
    if not _falls(values, smoothed, steps):
        return replace(found, remark=_why_not(found))
    lowest = int(smoothed.argmin())
    slopes = np.gradient(smoothed)[: lowest + 1]
    suggestion = rates[int(slopes.argmin())]
    return replace(found, suggestion=suggestion, tenth=rates[lowest] / 10, remark=_caution(found, slopes))


def memory_of(steps: int) -> float:
    """Return the weight of what was before in a running mean: it reaches back over a twentieth of the test."""
    return max(0.5, 1 - 20 / steps)


def ceiling(best: float) -> float:
    """Return the loss from which on it counts as diverged, where this is the lowest one."""
    return best + (_DIVERGED - 1) * abs(best)


def _smoothed(losses: _Values, kept: float) -> _Values:
    """Return the mean around each place, the nearer ones counting more: one of what was before would lag behind."""
    lowest = int(losses.argmin())
    top = max(losses[: lowest + 1].max(), ceiling(losses[lowest]))
    cut = np.minimum(losses, top)  # the last loss may be 1e30
    places = np.arange(1 - len(losses), len(losses))
    weights = kept ** np.abs(places)
    return np.convolve(cut, weights, "valid") / np.convolve(np.ones_like(cut), weights, "valid")


def _falls(losses: _Values, smoothed: _Values, steps: int) -> bool:
    kept, start = memory_of(steps), _start(losses)
    noise = _noise(losses) * sqrt((1 - kept) / (1 + kept))
    return bool(start - smoothed.min() > max(_CLEAR * abs(start), _NOISES * noise))


def _start(losses: Sequence[float] | _Values) -> float:
    return float(np.median(losses[: max(1, len(losses) // 5)]))


def _noise(losses: _Values) -> float:
    """Return the standard deviation from step to step, by the median: so that slopes and the end do not count."""
    return float(np.median(np.abs(np.diff(losses)))) / (0.6745 * sqrt(2))


def _why_not(found: Found) -> str:
    start, least = _start(found.losses), min(found.smoothed)
    noise = _noise(np.asarray(found.losses))
    told = f"the loss never fell: {start:.4g} at first, {least:.4g} at its lowest, give or take {noise:.2g}"
    advice = "a lower --from" if found.diverged else "a higher --to"
    return f"{told}; try {advice}, or more --steps, and look at what is learned from: leaven show batch"


def _caution(found: Found, slopes: _Values) -> str:
    """Return what to mind.

    Args:
        found: of all rates.
        slopes: of the smoothed loss, from the first rate to the one where it is lowest.
    """
    if slopes[: max(1, len(found.rates) // 5)].mean() < slopes.min() / 2:
        return "the loss falls from the first rate on: a lower --from would show more"
    if len(slopes) == len(found.rates) and not found.diverged:
        return "the loss still falls at the last rate: a higher --to would show more"
    return ""
