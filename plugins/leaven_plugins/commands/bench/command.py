"""leaven bench: how fast batches are made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.options import json_option
from leaven_plugins.commands.bench.ops_command import ops
from leaven_plugins.commands.train.command import overrides_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from leaven.registry.registry import Registry
    from leaven_plugins.commands.bench.measure import Measurement


def worker_counts(ctx: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Return the numbers of workers in ``"1,2,4"``; none where there is no value."""
    parts = value.split(",") if value else []
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{value!r}: expected numbers of workers, as in 1,2,4")
    return tuple(int(part) for part in parts)


@click.group()
def bench() -> None:
    """Measure how fast batches are made."""


bench.add_command(ops)


@bench.command()
@click.argument("config", type=click.Path(path_type=Path))
@overrides_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="How long each run is.")
@click.option("--workers", metavar="N,...", callback=worker_counts, help="Numbers of workers to compare.")
@click.option("--trace", type=click.Path(path_type=Path), help="Run once more, and write here what was done when.")
@json_option
@click.pass_obj
def loader(
    registry: Registry,
    config: Path,
    overrides: tuple[str, ...],
    seconds: float,
    workers: tuple[int, ...],
    trace: Path | None,
    as_json: bool,
) -> None:
    """Measure the loader of an experiment, without a network.

    CONFIG is the TOML file of an experiment; torch is not needed. The consumer does nothing but take batches, so that
    it waits most of the time: how fast the loader can be, not how fast the training will be.

    With --trace, a further run of the fastest number of workers is written as a trace, to be opened in
    https://ui.perfetto.dev: a row for each worker, with the stages of each sample, and one for the consumer.
    """
    from leaven.cli.output import console, emit_json, note, table
    from leaven_plugins.commands.bench.measure import measure
    from leaven_plugins.commands.bench.traced import traced
    from leaven_plugins.commands.train.experiment import Experiment

    experiment = Experiment(config, registry, overrides, training=False)
    table_of_loader = experiment.config.plain["loader"]
    feed = {} if "feed" in table_of_loader else {"feed": "numpy"}
    runs = []
    for count in workers or (table_of_loader["nworkers"],):
        note(f"measuring {count} workers for {seconds:g} s")
        runs.append(measure(experiment.train_loader(nworkers=count, **feed), count, seconds))
    best = max(runs, key=lambda run: run.images_per_second)
    stages: dict[str, float] = {}
    if trace is not None:
        note(f"measuring {best.workers} workers again, for the trace")
        stages = traced(lambda given: experiment.train_loader(nworkers=best.workers, **feed, **given), seconds, trace)
    if as_json:
        of_trace = {"trace": {"path": str(trace), "stages": stages}} if trace is not None else {}
        emit_json({**best.to_plain(), "runs": [run.to_plain() for run in runs], **of_trace})
        return
    headings = ("workers", "images/s", "first batch", "consumer waits", "peak memory")
    console().print(table(headings, _rows(runs)))
    if trace is not None:
        console().print(table(("stage", "share of workers' time"), _shares(stages)))
        click.echo(f"{trace}: open it in https://ui.perfetto.dev")


def _rows(runs: Sequence[Measurement]) -> list[tuple[str, ...]]:
    return [
        (
            str(run.workers),
            f"{run.images_per_second:,.0f}",
            f"{run.first_batch_seconds:.2f} s",
            f"{run.wait_share:.0%}",
            "unknown" if run.peak_pss_mb is None else f"{run.peak_pss_mb:,.0f} MB",
        )
        for run in runs
    ]


def _shares(stages: Mapping[str, float]) -> list[tuple[str, ...]]:
    return [(stage, f"{share:.1%}") for stage, share in stages.items()]
