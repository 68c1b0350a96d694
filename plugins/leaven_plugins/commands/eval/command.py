"""leaven eval: how good a trained network is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.train.snapshot_options import overrides_with, snapshot_at, snapshot_options

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command("eval")
@snapshot_options
@click.option("--data", default="val", metavar="val|train|DATASET", help="What to measure on: a file, spec or table.")
@click.option("--metric", "metrics", metavar="SPEC", multiple=True, help="Measure this, too. Can be repeated.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Measure on the first N images only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
@click.pass_obj
def evaluate(
    registry: Registry,
    path: Path,
    overrides: tuple[str, ...],
    best: bool,
    no_average: bool,
    device: str | None,
    data: str,
    metrics: tuple[str, ...],
    limit: int | None,
    as_json: bool,
) -> None:
    """Measure a trained network, as validation during the training does.

    Network, data, loss and metrics are those of the experiment, whose configuration is in the snapshot; the weights
    are their average where the run kept one. Of a RUN, the last snapshot is taken. --metric takes a name, or a table
    such as '{ use = "iou", classes = 3, per_class = true }'.
    """
    from leaven.cli.output import console, emit_json
    from leaven_plugins.commands.eval.measuring import experiment_with, measured
    from leaven_plugins.commands.eval.report import lines_of, tables_of
    from leaven_plugins.commands.train.trained import configuration_of, trained_network

    snapshot = snapshot_at(path, best)
    config = experiment_with(configuration_of(snapshot), data, metrics, registry)
    network = trained_network(snapshot, registry, config, not no_average, overrides_with(device, overrides))
    found = measured(network, limit)
    if as_json:
        emit_json({**network.to_plain(), "data": data, **found.to_plain()})
        return
    for line in lines_of(network, data, found):
        console().print(line, markup=False, soft_wrap=True)
    for table in tables_of(found):
        console().print(table)
