"""``leaven data info``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.output import console, emit_json
from leaven.errors import printable
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.options import view_option

if TYPE_CHECKING:
    from leaven.protocols import Dataset, Decoder
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.data.survey import Survey

_EXAMPLES = 16


@click.command()
@click.argument("path")
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw classes, sizes and some images.",
)
@view_option
@as_json_option
@click.pass_obj
def info(registry: Registry, path: str, picture: Path | None, views: tuple[str, ...], as_json: bool) -> None:
    """Say what is in the dataset at PATH.

    The JSON object has the keys path, format, samples, bytes (of all samples), fields (name and type, of the first
    sample), classes (label and number of samples), image_sizes (height and width: [min, median, max], or null),
    images (how many can be read), indexed (of these, JPEGs with an index or restart markers: parts of them can be
    decoded alone), index_problem (why what leaven data index wrote is of no use, or null) and unreadable (key and
    reason, of images that are none).
    """
    from leaven_plugins.commands.data.index_state import index_problem
    from leaven_plugins.commands.data.opening import opened
    from leaven_plugins.commands.data.progress import progress
    from leaven_plugins.commands.data.report import print_report, report
    from leaven_plugins.commands.data.survey import survey

    decoder = registry.create("decoder:opencv")
    with (
        opened(registry, path, views) as (dataset, format_, params),
        progress("reading", len(dataset), console(err=True)) as advance,
    ):
        seen = survey(dataset, decoder, advance)
        if picture is not None:
            draw(picture, path, dataset, decoder, seen)
    if as_json:
        emit_json(report(path, format_, seen, index_problem(params)))
    else:
        print_report(path, format_, seen, index_problem(params), console())


def draw(picture: Path, path: str, dataset: Dataset, decoder: Decoder, seen: Survey) -> None:
    """Write a picture of what was seen in a dataset.

    Raises:
        LeavenError: it cannot be written.
    """
    from leaven_plugins.commands.data.examples import examples
    from leaven_plugins.commands.data.picture import picture_of
    from leaven_plugins.commands.show.sheet import write_sheet

    images, captions = examples(dataset, decoder, seen, _EXAMPLES)
    write_sheet(picture, picture_of(seen, f"{printable(path)}: {seen.samples:,} samples", images, captions))
