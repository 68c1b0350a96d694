"""Verdict: what limits a loader, what to change, and what that should give; computed from what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from leaven_plugins.commands.bench.findings import Findings
from leaven_plugins.commands.bench.remedies import Remedy, remedies_of

_SLACK = 0.4
"""Below this share of idle time there is always something to gain in the workers; above it is for others to explain."""

_FULL = 0.9  # how busy workers may be and still have a batch ready in time
_BOUND = 0.8  # a consumer that is as busy gains at most a quarter, whatever workers do
_SAME = 0.97  # of the best rate: runs differ by so much anyway

_REASONS = {
    "read": "reading limits",
    "decode": "decoding limits",
    "geometry": "the geometry of images limits",
    "photometric": "the ops on pixels limit",
    "work": "the worker's own code limits",
    "collate": "collators limit",
    "copy": "copying into the batch limits",
    "other": "what each sample costs besides limits (unpacking, drawing of parameters, answering)",
}


@dataclass(frozen=True)
class Verdict:
    """What limits, and what to change.

    Attributes:
        limit: a group of stages, ``consumer``, ``loader`` (neither it nor the workers are busy), ``threads`` (that wait
            for each other: which stage they are in then tells little), or ``unknown``.
        reason: why that is so, in words.
        advice: what to change, in words.
        gain: how many times faster it should be then; ``None`` where nothing was measured.
        predicted_images_per_second: what that comes to.
        at_most: whether the prediction is a bound.
        condition: what it supposes, in words.
    """

    limit: str
    reason: str
    advice: str
    gain: float | None = None
    predicted_images_per_second: float | None = None
    at_most: bool = False
    condition: str = ""

    @property
    def prediction(self) -> str:
        """The prediction in words; ``""`` where there is none, or nothing is to be gained."""
        if self.gain is None or self.predicted_images_per_second is None or self.gain < 1.05:
            return ""
        times = f"{'at most' if self.at_most else 'about'} {self.gain:.{1 if self.gain < 10 else 0}f} times as fast"
        text = f"predicted: {times}, {self.predicted_images_per_second:,.0f} images/s"
        return f"{text}, {self.condition}" if self.condition else text

    @property
    def sentence(self) -> str:
        """All of it, as one sentence."""
        text = f"{self.reason}: {self.advice}" + (f" ({self.prediction})" if self.prediction else "")
        return f"{text[0].upper()}{text[1:]}."

    def to_plain(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {
            "limit": self.limit,
            "advice": self.advice,
            "sentence": self.sentence,
            "predicted_images_per_second": self.predicted_images_per_second,
            "gain": self.gain,
        }


def diagnose(found: Findings) -> Verdict:
    """Return what limits, and of the remedies for it the one that promises most."""
    limit = limit_of(found)
    if limit == "unknown":
        return Verdict(limit, "the run was too short to tell what limits", "measure for longer, with --seconds")
    if limit == "consumer":
        return _consumer_bound(found)
    if limit == "threads":
        return _locked(found)
    best = max(remedies_of(limit, found), key=lambda remedy: remedy.gain)
    return _with_remedy(limit, _reason(limit, found), best, found)


def limit_of(found: Findings) -> str:
    """Return what is busiest: a stage of the workers, the consumer, or what is between them."""
    if found.images_per_second <= 0 or sum(found.shares.values()) <= 0:
        return "unknown"
    if found.consuming >= _BOUND or (found.idle > _SLACK and found.consuming >= found.busy):
        return "consumer"
    if found.locked:
        return "threads"
    if found.workers and found.idle > _SLACK:
        return "loader"
    stages = {group: share for group, share in found.shares.items() if group != "wait"}
    return max(stages, key=lambda group: stages[group])


def _reason(limit: str, found: Findings) -> str:
    if limit == "loader":
        return (
            f"the way between workers and consumer limits: they are idle for {found.idle:.0%} of their time, "
            f"and it waits for {found.wait_share:.0%} of its"
        )
    return f"{_REASONS[limit]}, with {found.shares[limit]:.0%} of the workers' time"


def _with_remedy(limit: str, reason: str, remedy: Remedy, found: Findings) -> Verdict:
    gain = min(remedy.gain, most_for(found))
    predicted = found.images_per_second * gain
    return Verdict(limit, reason, remedy.advice, gain, predicted, remedy.at_most, remedy.condition)


def most_for(found: Findings) -> float:
    """Return how many times as fast the consumer alone could go."""
    return 1 / max(found.consuming, 0.001)


def _consumer_bound(found: Findings) -> Verdict:
    if not found.workers:
        return _taking_turns(found)
    enough = enough_workers(found)
    fewer = f"nworkers = {enough} will do as well, " if enough < found.workers else "more workers will not help, "
    able = found.images_per_second / max(found.busy, 0.01)
    return Verdict(
        "consumer",
        f"the consumer limits: it works for {found.consuming:.0%} of the time, "
        f"and the workers are idle for {found.idle:.0%} of theirs",
        f"{fewer}and only a faster step helps (workers could make about {able:,.0f} images/s)",
        1.0,
        found.images_per_second,
    )


def _taking_turns(found: Findings) -> Verdict:
    reason = f"the consumer limits: batches are made between its steps, in {found.busy:.0%} of the time"
    gain = 1 / max(found.consuming, found.busy, 0.5)  # two that take turns are at most twice as fast side by side
    remedy = Remedy("set nworkers = 1, to make them meanwhile", max(1.0, gain))
    return _with_remedy("consumer", reason, remedy, found)


def _locked(found: Findings) -> Verdict:
    gain = (found.processes or 0.0) / found.images_per_second
    reason = "Python's lock limits, for which threads wait"
    remedy = Remedy('set transport = "zeromq", for workers that are processes', max(1.0, gain))
    return _with_remedy("threads", reason, remedy, found)


def enough_workers(found: Findings) -> int:
    """Return how many workers are as fast as those that there are: as measured, or by how busy they are."""
    as_fast = [count for count, rate in found.rates.items() if count > 0 and rate >= _SAME * found.images_per_second]
    return min(max(1, ceil(found.workers * found.busy / _FULL)), found.workers, *as_fast)
