"""Passes: all peers one after the other, again and again, each compared to the baseline of the same pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from leaven.errors import LeavenError
from leaven_plugins.commands.bench.peers.roster import BASELINE, LIMIT, Peer
from leaven_plugins.commands.bench.peers.running import Outcome, PeerFailed

Run = Callable[[Peer, int], Outcome]
"""Runs a peer in a pass, which is given by its number."""


@dataclass(frozen=True)
class Pass:
    """One peer in one pass.

    Attributes:
        outcome: of the run.
        ratio: of its images per second to the baseline's.
        efficiency: its images per second by those that as many cores as it has workers could make, without a loader.
    """

    outcome: Outcome
    ratio: float
    efficiency: float


@dataclass(frozen=True)
class Score:
    """A peer in all passes. Properties are medians.

    Attributes:
        name: of the peer.
        passes: at least one.
        psnr_db: of what it makes of images for validation; ``None`` where that was not looked at.
    """

    name: str
    passes: Sequence[Pass]
    psnr_db: float | None = None

    @property
    def ratio(self) -> float:
        """To the baseline of the same pass."""
        return median(each.ratio for each in self.passes)

    @property
    def efficiency(self) -> float:
        """Against the limit of the same pass."""
        return median(each.efficiency for each in self.passes)

    @property
    def rates(self) -> list[float]:
        """Images per second, the fewest first."""
        return sorted(each.outcome.images_per_second for each in self.passes)

    @property
    def images_per_second(self) -> float:
        """Of all passes."""
        return median(self.rates)

    @property
    def first_batch_seconds(self) -> float:
        """Of all passes."""
        return median(each.outcome.first_batch_seconds for each in self.passes)

    @property
    def peak_pss_mb(self) -> float | None:
        """The most of all passes."""
        return max(filter(None, (each.outcome.peak_pss_mb for each in self.passes)), default=None)

    def to_plain(self) -> dict[str, Any]:
        """Return what the JSON report has."""
        outcome = self.passes[0].outcome
        return {
            "peer": self.name,
            "versions": {name: text for name, text in outcome.versions.items() if text != "unknown"},
            "images_per_second": self.images_per_second,
            "least": self.rates[0],
            "most": self.rates[-1],
            "ratio": self.ratio,
            "efficiency": self.efficiency,
            "first_batch_seconds": self.first_batch_seconds,
            "peak_pss_mb": self.peak_pss_mb,
            "psnr_db": self.psnr_db,
            "passes": [
                {
                    "images_per_second": each.outcome.images_per_second,
                    "images": each.outcome.images,
                    "batches": each.outcome.batches,
                    "ratio": each.ratio,
                    "efficiency": each.efficiency,
                    "first_batch_seconds": each.outcome.first_batch_seconds,
                    "peak_pss_mb": each.outcome.peak_pss_mb,
                }
                for each in self.passes
            ],
        }


@dataclass(frozen=True)
class Scores:
    """One work.

    Attributes:
        work: its name.
        limit: images per second of one thread, median of the passes.
        scores: of those peers that gave a result in every pass, the fastest first.
        absent: peer -> why it gave none.
    """

    work: str
    limit: float
    scores: Sequence[Score]
    absent: Mapping[str, str] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return what the JSON report has."""
        return {
            "work": self.work,
            "limit_images_per_second": self.limit,
            "peers": [score.to_plain() for score in self.scores],
            "absent": dict(self.absent),
        }


def compared(
    work: str, peers: Sequence[Peer], passes: int, workers: int, run: Run, psnr: Callable[[Outcome], float | None]
) -> Scores:
    """Run all peers in each pass.

    Each pass begins with the limit and the baseline; the others follow, in the opposite order in every second pass, so
    that a machine that gets slower does not always slow down the same ones.

    Args:
        work: name of it.
        peers: who takes part, with the baseline.
        passes: how many.
        workers: that each peer has.
        run: runs one of them.
        psnr: what is to be told of a peer's images, by the outcome of its first run.

    Raises:
        LeavenError: the limit or the baseline failed: there is nothing to compare with.
    """
    others = [peer for peer in peers if peer is not BASELINE]
    outcomes: dict[str, list[Pass]] = {}
    absent: dict[str, str] = {}
    limits = []
    for number in range(passes):
        limit, base = (_needed(run, peer, number) for peer in (LIMIT, BASELINE))
        limits.append(limit.images_per_second)
        _add(outcomes, BASELINE, base, base, limit, workers)
        for peer in others if number % 2 == 0 else reversed(others):
            if peer.name not in absent:
                try:
                    _add(outcomes, peer, run(peer, number), base, limit, workers)
                except PeerFailed as error:
                    absent[peer.name] = str(error)
    found = [Score(name, runs, psnr(runs[0].outcome)) for name, runs in outcomes.items() if name not in absent]
    return Scores(work, median(limits), sorted(found, key=lambda score: -score.ratio), absent)


def _add(
    outcomes: dict[str, list[Pass]], peer: Peer, outcome: Outcome, base: Outcome, limit: Outcome, workers: int
) -> None:
    ratio = outcome.images_per_second / base.images_per_second
    efficiency = outcome.images_per_second / (workers * limit.images_per_second)
    outcomes.setdefault(peer.name, []).append(Pass(outcome, ratio, efficiency))


def _needed(run: Run, peer: Peer, number: int) -> Outcome:
    try:
        return run(peer, number)
    except PeerFailed as error:
        raise LeavenError(f"{peer.name} failed, and all others are compared to it: {error}") from error
