"""leaven show: pictures of what the network sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.train.command import overrides_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.group()
def show() -> None:
    """Make pictures of what the network sees."""


@show.command()
@click.argument("config", type=click.Path(path_type=Path))
@overrides_option
@click.option("--out", type=click.Path(path_type=Path), default=Path("sheet.png"), show_default=True, help="PNG file.")
@click.option("-n", "count", type=click.IntRange(min=1), default=16, show_default=True, help="Number of images.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_obj
def batch(registry: Registry, config: Path, overrides: tuple[str, ...], out: Path, count: int, as_json: bool) -> None:
    """Write a contact sheet of the first training images, augmented and labelled.

    CONFIG is the TOML file of an experiment; torch is not needed.
    """
    from leaven.cli.output import emit_json
    from leaven_plugins.commands.show.batches import first_images, sheet_of
    from leaven_plugins.commands.show.sheet import write_sheet
    from leaven_plugins.commands.train.experiment import Experiment

    experiment = Experiment(config, registry, overrides, training=False)
    found = first_images(experiment.train_loader(nworkers=0, feed="numpy"), count)
    write_sheet(out, sheet_of(found, f"{experiment.name}: the first training images, as the network sees them"))
    click.echo(f"{out}: {len(found.images)} images")
    if as_json:
        emit_json({"sheet": out, "images": len(found.images)})
