"""``leaven data copy``."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

import click

from leaven.cli.output import emit_json
from leaven_plugins.commands.data.options import as_json as as_json_option


@click.command()
@click.argument("src", type=click.Path(path_type=Path))
@click.argument("dst", type=click.Path(path_type=Path))
@click.option("--workers", type=click.IntRange(0), default=0, metavar="N", help="Copy and unpack with N threads.")
@as_json_option
def copy(src: Path, dst: Path, workers: int, as_json: bool) -> None:
    """Copy the folder SRC, or SRC.zip, or a folder of archives, to DST on a disk of this machine.

    Nothing is done where it is there already; what was broken off is copied again. Several processes may ask for it at
    the same time: one copies. Of a folder of archives, each is unpacked into a folder of its own name.

    The JSON object has the keys path, was_copied, was_deleted (what was broken off), source_format (raw, zip, zips, or
    null where nothing was done) and seconds.
    """
    from leaven_plugins.copying.local import copy_to_local

    start = time.monotonic()
    result = copy_to_local(src, dst, workers=workers, log=partial(click.echo, err=as_json))
    if as_json:
        emit_json({"path": dst, **result._asdict(), "seconds": round(time.monotonic() - start, 3)})
