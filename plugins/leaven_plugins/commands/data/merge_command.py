"""``leaven data merge``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven_plugins.commands.data import destination
from leaven_plugins.commands.data.options import as_json as as_json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILES...")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--order",
    type=click.Choice(["concat", "random"]),
    default="random",
    show_default=True,
    help="One after the other, or all of them shuffled.",
)
@destination.seed_option
@destination.writer_options
@destination.view_option
@destination.overwrite_option
@as_json_option
@click.pass_obj
def merge(
    registry: Registry,
    sources: tuple[str, ...],
    out: Path,
    order: str,
    seed: int,
    format_: str | None,
    options: dict[str, Any],
    views: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the samples of all FILES, which have keys of their own each, into OUT.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    start = time.monotonic()
    shuffled = [{"use": "shuffle", "seed": seed}] if order == "random" else []
    report = destination.write_from(
        registry, list(sources), [*shuffled, *views], out, {}, format=format_, options=options, overwrite=overwrite
    )
    destination.tell([(out, report)], start, as_json)
