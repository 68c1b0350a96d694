"""leaven bench loader: how fast a loader is, what limits it, and what to change."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.options import json_option
from leaven_plugins.commands.train.command import overrides_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry

_STEP = click.FloatRange(min=0, max=60_000)


def worker_counts(ctx: click.Context, option: click.Parameter, value: str | None) -> tuple[int, ...]:
    """Return the numbers of workers in ``"1,2,4"``; none where there is no value."""
    parts = value.split(",") if value else []
    if not all(part.strip().isdecimal() for part in parts):
        raise click.BadParameter(f"{value!r}: expected numbers of workers, as in 1,2,4")
    return tuple(int(part) for part in parts)


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@overrides_option
@click.option("--seconds", type=click.FloatRange(min=0.1), default=5.0, show_default=True, help="How long each run is.")
@click.option("--workers", metavar="N,...", callback=worker_counts, help="Numbers of workers to compare.")
@click.option("--consumer-ms", type=_STEP, metavar="X", default=0.0, help="The consumer works X ms on each batch.")
@click.option("--trace", type=click.Path(path_type=Path), help="Write here what was done when.")
@json_option
@click.pass_obj
def loader(
    registry: Registry,
    config: Path,
    overrides: tuple[str, ...],
    seconds: float,
    workers: tuple[int, ...],
    consumer_ms: float,
    trace: Path | None,
    as_json: bool,
) -> None:
    """Measure the loader of an experiment, without a network, and tell what limits it.

    CONFIG is the TOML file of an experiment; torch is not needed. The consumer does nothing but take batches, so that
    it waits most of the time: how fast the loader can be, not how fast the training will be. With --consumer-ms it
    computes in Python for so long on each batch, in the place of a training step.

    A further run of the fastest number of workers, of two seconds at most, is recorded: it tells what the workers spend
    their time on, from which follows what limits, what to change, and how much that should give. Where the workers are
    threads, two more runs tell how fast they are as processes, and whether they starve behind a consumer that computes
    in Python.

    With --trace, what was recorded is written as a trace, to be opened in https://ui.perfetto.dev: a row for each
    worker, with the stages of each sample, and one for the consumer.
    """
    from leaven.cli.output import emit_json, note
    from leaven_plugins.commands.bench.doctor import examine
    from leaven_plugins.commands.bench.loader_report import plain, show
    from leaven_plugins.commands.bench.measure import measure, spinning
    from leaven_plugins.commands.train.experiment import Experiment

    experiment = Experiment(config, registry, overrides, training=False)
    table = experiment.config.plain["loader"]
    make = partial(experiment.train_loader, **({} if "feed" in table else {"feed": "numpy"}))
    step = consumer_ms / 1000
    runs = []
    for count in workers or (table["nworkers"],):
        note(f"measuring {count} workers for {seconds:g} s")
        runs.append(measure(make(nworkers=count), count, seconds, step=spinning(step)))
    diagnosis = examine(experiment, make, runs, seconds, step, trace)
    if as_json:
        emit_json(plain(runs, diagnosis, trace))
    else:
        show(runs, diagnosis, trace)
