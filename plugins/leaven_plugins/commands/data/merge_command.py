"""``leaven data merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.data import destination

if TYPE_CHECKING:
    from leaven_plugins.commands.data.destination import Writing


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
@destination.writing_options
def merge(writing: Writing, sources: tuple[str, ...], out: Path, order: str, seed: int) -> None:
    """Write the samples of all FILES into OUT. A key that comes up again is followed by #2, #3 ...

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    shuffled = [{"use": "shuffle", "seed": seed}] if order == "random" else []
    writing.tell([(out, writing.write(list(sources), [*shuffled, *writing.views], out))])
