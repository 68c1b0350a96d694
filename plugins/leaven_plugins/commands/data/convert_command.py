"""``leaven data convert``."""

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
@click.argument("src")
@click.argument("dst", type=click.Path(path_type=Path))
@destination.writer_options
@destination.view_option
@destination.overwrite_option
@as_json_option
@click.pass_obj
def convert(
    registry: Registry,
    src: str,
    dst: Path,
    format_: str | None,
    options: dict[str, Any],
    views: tuple[str, ...],
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the samples of SRC, as they are, to DST in another format.

    The JSON object has the key files, a list with one object: path, format, samples, bytes and seconds.
    """
    start = time.monotonic()
    report = destination.write_from(registry, src, views, dst, {}, format=format_, options=options, overwrite=overwrite)
    destination.tell([(dst, report)], start, as_json)
