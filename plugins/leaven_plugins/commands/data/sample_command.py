"""``leaven data sample``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.errors import ParameterError
from leaven_plugins.commands.data import destination

if TYPE_CHECKING:
    from leaven_plugins.commands.data.destination import Writing


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
@destination.writing_options
def sample(writing: Writing, source: str, out: Path, count: int, order: str, seed: int) -> None:
    """Write N samples of IN into OUT, none of them twice.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    total = writing.length(source)
    if count > total:
        raise ParameterError(f"{source}: has {total} samples, not {count}")
    shuffled = [{"use": "shuffle", "seed": seed}] if order == "random" else []
    chosen = [*writing.views, *shuffled, {"use": "subset", "start": 0, "stop": count}]
    writing.tell([(out, writing.write(source, chosen, out))])
