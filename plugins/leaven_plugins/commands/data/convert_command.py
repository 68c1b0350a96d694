"""``leaven data convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.data import destination

if TYPE_CHECKING:
    from leaven_plugins.commands.data.destination import Writing


@click.command()
@click.argument("src")
@click.argument("dst", type=click.Path(path_type=Path))
@destination.writing_options
def convert(writing: Writing, src: str, dst: Path) -> None:
    """Write the samples of SRC, as they are, to DST in another format.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    writing.tell([(dst, writing.write(src, writing.views, dst))])
