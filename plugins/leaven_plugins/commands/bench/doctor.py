"""Doctor: the runs that a verdict needs, besides those that were asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from leaven.cli.output import note
from leaven.errors import LookupFailed, RecipeError
from leaven.stream.loader import TurboDataLoader
from leaven_plugins.commands.bench.findings import Findings
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
    threads = setup.transport == "threads" and best.batches > 0
    found = Findings(
        shares=shares,
        images_per_second=best.images_per_second,
        wait_share=best.wait_share,
        workers=best.workers,
        cores=len(os.sched_getaffinity(0)),
        processes=_as_processes(make, best, seconds, step) if threads and best.workers else None,
        rates={run.workers: run.images_per_second for run in runs},
        counts=recorded.counts,
        setup=setup,
    )
    warning = _starving(make, best, seconds, step) if threads and best.workers else ""
    return Diagnosis(recorded, shares, diagnose(found), [warning] if warning else [])


def fastest(runs: Sequence[Measurement]) -> Measurement:
    """Return the run of the most images per second."""
    return max(runs, key=lambda run: run.images_per_second)


def _as_processes(make: Make, best: Measurement, seconds: float, step: float) -> float | None:
    """Return the images per second of the same workers as processes; ``None`` where they cannot be processes."""
    note(f"measuring {best.workers} workers as processes, of which none waits for Python's lock")
    try:
        loader = make(nworkers=best.workers, transport="zeromq")
    except (LookupFailed, RecipeError):
        return None
    return measure(loader, best.workers, seconds, step=spinning(step)).images_per_second


def _starving(make: Make, best: Measurement, seconds: float, step: float) -> str:
    """Return what there is to say of workers that are threads beside a consumer in Python, or ``""``."""
    note(f"measuring {best.workers} workers again, {'without' if step else 'with'} a consumer in Python")
    own = 0.0 if step else best.batch_seconds
    other = measure(make(nworkers=best.workers), best.workers, seconds, step=spinning(own))
    alone, beside = (other, best) if step else (best, other)
    if not other.batches:
        return ""
    slowed = alone.processor_share / beside.processor_share
    return Company(alone.batch_seconds, own or step, beside.batch_seconds, slowed).warning
