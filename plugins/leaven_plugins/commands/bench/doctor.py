"""Doctor: the runs that a verdict needs, besides those that were asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from leaven.cli.output import note
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.commands.bench.findings import Findings, Setup
from leaven_plugins.commands.bench.measure import Measurement, measure, spinning
from leaven_plugins.commands.bench.setup import setup_of
from leaven_plugins.commands.bench.stages import grouped
from leaven_plugins.commands.bench.starving import Company
from leaven_plugins.commands.bench.traced import Recorded, traced
from leaven_plugins.commands.bench.verdict import Verdict, diagnose
from leaven_plugins.commands.train.experiment import Experiment

_SECONDS = 2.0  # are enough for shares of the time

Make = Callable[..., TurboDataLoader]


class Diagnosis(NamedTuple):
    """What the runs told: ``recorded`` of the one that was traced, its groups of stages, and what follows from that."""

    recorded: Recorded
    shares: dict[str, float]
    verdict: Verdict
    warnings: list[str]


def examine(
    experiment: Experiment, make: Make, runs: Sequence[Measurement], seconds: float, step: float, trace: Path | None
) -> Diagnosis:
    """Run the fastest number of workers once more, and say what limits it.

    Args:
        experiment: what is measured.
        make: returns its loader, with the arguments that it is given.
        runs: those that were measured, at least one.
        seconds: how long they were.
        step: seconds that the consumer computes on each batch.
        trace: where to write the trace of the further run, if anywhere.
    """
    best = fastest(runs)
    seconds = min(seconds, _SECONDS)
    note(f"measuring {best.workers} workers again, for the trace")
    recorded = traced(lambda given: make(nworkers=best.workers, **given), seconds, trace, spinning(step))
    shares, setup = grouped(recorded.stages), setup_of(experiment)
    found = Findings(
        shares=shares,
        images_per_second=best.images_per_second,
        wait_share=best.wait_share,
        workers=best.workers,
        cores=len(os.sched_getaffinity(0)),
        cores_used=best.cores_used,
        rates={run.workers: run.images_per_second for run in runs},
        counts=recorded.counts,
        setup=setup,
    )
    warning = _starving(make, best, setup, seconds, step, found.cores)
    return Diagnosis(recorded, shares, diagnose(found), [warning] if warning else [])


def fastest(runs: Sequence[Measurement]) -> Measurement:
    """Return the run of the most images per second."""
    return max(runs, key=lambda run: run.images_per_second)


def _starving(make: Make, best: Measurement, setup: Setup, seconds: float, step: float, cores: int) -> str:
    """Return what there is to say of workers that are threads; ``""`` of others."""
    if setup.transport != "threads" or not best.workers or not best.batches:
        return ""
    note(f"measuring {best.workers} workers again, {'without' if step else 'with'} a consumer in Python")
    own = 0.0 if step else best.batch_seconds
    other = measure(make(nworkers=best.workers), best.workers, seconds, step=spinning(own))
    alone, beside = (other, best) if step else (best, other)
    return Company(alone.batch_seconds, alone.cores_used, own or step, beside.batch_seconds, cores).warning
