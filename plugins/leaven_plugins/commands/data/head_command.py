"""``leaven data head``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from leaven.cli.output import console, emit_json
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.options import view_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("path", metavar="DATASET")
@click.option(
    "-n", "count", type=click.IntRange(1), default=5, show_default=True, metavar="N", help="How many samples."
)
@click.option(
    "--max-string",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    metavar="N",
    help="Characters of a text, bytes or list.",
)
@view_option
@as_json_option
@click.pass_obj
def head(registry: Registry, path: str, count: int, max_string: int, views: tuple[str, ...], as_json: bool) -> int:
    """Show the first samples of DATASET. Exits with 1 where one of them cannot be read.

    The JSON object has the keys path, format, samples (how many there are in all) and head: for each shown sample its
    index, key, fields (name -> type, bytes, value) and error (null, or why it cannot be read). Values are shortened
    texts.
    """
    from leaven_plugins.commands.data.heading import first_samples, print_samples
    from leaven_plugins.commands.data.opening import opened

    decoder = registry.create("decoder:opencv")
    with opened(registry, path, views) as (dataset, format_, _):
        total = len(dataset)
        shown = first_samples(dataset, decoder, count, max_string)
    if as_json:
        rows = [sample.report() for sample in shown]
        emit_json({"path": path, "format": format_, "samples": total, "head": rows})
    else:
        print_samples(shown, total, console())
    return 1 if any(sample.error for sample in shown) else 0
