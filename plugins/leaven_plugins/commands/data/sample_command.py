"""``leaven data sample``."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.errors import ParameterError
from leaven_plugins.commands.data import destination
from leaven_plugins.commands.data.options import as_json as as_json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


@click.command()
@click.argument("source", metavar="IN")
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("count", type=click.IntRange(1), metavar="N")
@click.option(
    "--order",
    type=click.Choice(["sequential", "random"]),
    default="random",
    show_default=True,
    help="The first N samples, or N of chance.",
)
@destination.seed_option
@destination.writer_options
@destination.view_option
@destination.overwrite_option
@as_json_option
@click.pass_obj
def sample(
    registry: Registry,
    source: str,
    out: Path,
    count: int,
    order: str,
    seed: int,
    format_: str | None,
    options: dict[str, Any],
    views: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write N samples of IN into OUT, none of them twice.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    from leaven.registry.opening import open_dataset

    start = time.monotonic()
    with closing(open_dataset(source, registry, views=views)) as dataset:
        if count > len(dataset):
            raise ParameterError(f"{source}: has {len(dataset)} samples, not {count}")
    shuffled = [{"use": "shuffle", "seed": seed}] if order == "random" else []
    chosen = [*views, *shuffled, {"use": "subset", "start": 0, "stop": count}]
    report = destination.write_from(
        registry, source, chosen, out, {}, format=format_, options=options, overwrite=overwrite
    )
    destination.tell([(out, report)], start, as_json)
