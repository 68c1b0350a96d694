"""leaven predict: what a trained network says of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.train.snapshot_options import overrides_with, snapshot_at, snapshot_options

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@snapshot_options
@click.argument("images", metavar="IMAGES...", nargs=-1, required=True)
@click.option("--out", metavar="FOLDER|FILE.json|FILE.csv", type=click.Path(path_type=Path), help="Where to write it.")
@click.option("--top", metavar="K", type=click.IntRange(1), default=5, help="How many classes to tell of an image.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
@click.pass_context
def predict(
    context: click.Context,
    path: Path,
    images: tuple[str, ...],
    overrides: tuple[str, ...],
    best: bool,
    no_average: bool,
    device: str | None,
    out: Path | None,
    top: int,
    as_json: bool,
) -> None:
    """Tell what a trained network says of images.

    IMAGES are files and folders of images, or one dataset: a file, a spec such as dataset:digits, a table, or val or
    train of the experiment; of a dataset that has targets, these are shown, too. Images are decoded and sized as in
    validation. A FOLDER gets predictions.csv, a sheet predictions.png and, of masks and maps, a picture of each image.
    Exits with 1 where an image is broken.
    """
    from leaven.cli.output import console, emit_json, note
    from leaven_plugins.commands.predict.results import table_of, write_results
    from leaven_plugins.commands.predict.running import predict_all
    from leaven_plugins.commands.predict.sources import source_of
    from leaven_plugins.commands.train.trained import configuration_of, trained_network

    registry: Registry = context.obj
    snapshot = snapshot_at(path, best)
    source = source_of(images, configuration_of(snapshot), registry)
    trained = trained_network(snapshot, registry, source.config, not no_average, overrides_with(device, overrides))
    file = out if out is not None and out.suffix.lower() in (".json", ".csv") else None
    folder = out if file is None else None
    found = predict_all(trained, source.has_targets, top, folder)
    if out is not None:
        write_results(file or out / "predictions.csv", found.results)
    if as_json:
        emit_json(
            {**trained.to_plain(), "kind": found.kind, "predictions": found.results, "failed": found.failed, "out": out}
        )
    else:
        console().print(table_of(found.results))
    for broken in found.failed:
        note(f"skipped {broken['key']}: {broken['error']}")
    if out is not None and not as_json:
        console().print(f"wrote {out}", markup=False, soft_wrap=True)
    if found.failed:
        context.exit(1)
