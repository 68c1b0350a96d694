"""``leaven data stats``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.output import console, emit_json
from leaven_plugins.commands.data import destination
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.options import view_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("source", metavar="DATASET")
@view_option
@destination.engine_option
@destination.workers_option
@as_json_option
@click.pass_obj
def stats(
    registry: Registry, source: str, views: tuple[str, ...], engine: str | None, workers: int | None, as_json: bool
) -> None:
    """Decode all images of DATASET, and tell mean and deviation of their pixels, their sizes, and the classes.

    The JSON object has the keys path, samples, images, pixels, mean and std (of red, green and blue, 0 to 1, or null),
    height and width ([smallest, largest], or null) and classes (label -> number of samples).
    """
    from leaven.registry.opening import open_dataset

    with closing(open_dataset(source, registry, views=views)) as dataset:
        job = registry.create("job:statistics", dataset=dataset)
        found = job.summary(_manifests(registry, job, engine, workers, len(dataset)))
    if as_json:
        emit_json({"path": source, **found})
    else:
        _print(source, found)


def _manifests(
    registry: Registry, job: Any, engine: str | None, workers: int | None, total: int
) -> list[Mapping[str, Any]]:
    from leaven.data.jobs import run_job
    from leaven_plugins.commands.data.progress import progress

    here = engine is None and workers is None and job.blocks == 1  # for which no process is started
    manifests = []
    with (
        tempfile.TemporaryDirectory(prefix="leaven-") as folder,
        progress("looking", total, console(err=True), unit="samples") as advance,
    ):
        place = Path(folder)
        done = [(0, job.run(0, place))] if here else run_job(job, range(job.blocks), place, engine, workers, registry)
        for _, manifest in done:
            manifests.append(manifest)
            advance(manifest["samples"])
    return manifests


def _print(source: str, found: Mapping[str, Any]) -> None:
    from leaven.cli.output import table
    from leaven.errors import printable
    from leaven_plugins.commands.data.report import first_of, pixels_text

    rows: list[tuple[str, ...]] = [("samples", f"{found['samples']:,}"), ("images", f"{found['images']:,}")]
    rows += [(name, ", ".join(f"{value:.4f}" for value in found[name])) for name in ("mean", "std") if found[name]]
    rows += [(name, pixels_text(*found[name])) for name in ("height", "width") if found[name]]
    rows += first_of((f"label {printable(str(label), 80)}", f"{count:,}") for label, count in found["classes"].items())
    console().print(table(("dataset", printable(source)), rows))
