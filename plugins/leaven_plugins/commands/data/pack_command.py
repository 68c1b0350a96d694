"""``leaven data pack``."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven.cli.output import console, emit_json
from leaven.errors import DatasetError, MissingPackageError
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.rewriting import DEFAULT_INTERVAL

if TYPE_CHECKING:
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.data.repacking import Repacker
    from leaven_plugins.commands.data.resizing import Resizer


@click.command()
@click.argument("src")
@click.argument("dst", type=click.Path(path_type=Path))
@click.option("--format", "format_", metavar="NAME", help="Dataset component to write; otherwise by the suffix of DST.")
@click.option("--resize", type=click.IntRange(1), metavar="N", help="Shrink images to N pixels on their shorter side.")
@click.option(
    "--jpeg-restart",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Repack JPEGs losslessly, with a restart marker after N blocks at most, and add an index; 0: leave them. "
    f"By default {DEFAULT_INTERVAL} where leaven-turbo is installed, else 0.",
)
@click.option("--overwrite", is_flag=True, help="Replace DST if it exists.")
@as_json_option
@click.pass_obj
def pack(
    registry: Registry,
    src: str,
    dst: Path,
    format_: str | None,
    resize: int | None,
    jpeg_restart: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Pack the samples of SRC into the file DST.

    The JSON object has the keys path, format, samples, bytes (of the file), repacked (how many JPEGs were), left
    (reason -> how many images were left alone for it) and seconds.
    """
    from leaven.registry.opening import find_writer, open_dataset
    from leaven_plugins.commands.data.packing import repacked_samples, samples_of
    from leaven_plugins.commands.data.progress import progress
    from leaven_plugins.commands.data.repacking import REPACKED, Tally
    from leaven_plugins.commands.data.report import size_text

    start, tally, repacker = time.monotonic(), Tally(), _repacker(jpeg_restart)
    writer = find_writer(dst, format_, registry)
    if dst.exists() and not overwrite:
        raise DatasetError(f"{dst}: exists already; --overwrite replaces it")
    with closing(open_dataset(src, registry)) as source, progress("packing", len(source), console(err=True)) as advance:
        samples = samples_of(source, _resizer(registry, resize), advance)
        if repacker is not None:
            samples = repacked_samples(samples, repacker, tally)
        count = writer.write(dst, samples, overwrite=True) if overwrite else writer.write(dst, samples)
    nbytes = dst.stat().st_size
    if as_json:
        report = {"path": dst, "format": writer.format, "samples": count, "bytes": nbytes}
        report |= {"repacked": tally.outcomes[REPACKED], "left": tally.left}
        emit_json({**report, "seconds": round(time.monotonic() - start, 3)})
    else:
        click.echo(f"packed {count:,} samples ({size_text(nbytes)}) into {dst}")
        if tally.images:
            click.echo(f"repacked {tally.outcomes[REPACKED]:,} of {tally.images:,} images")


def _resizer(registry: Registry, side: int | None) -> Resizer | None:
    if side is None:
        return None
    from leaven_plugins.commands.data.resizing import Resizer

    return Resizer(registry.create("decoder:opencv"), side)


def _repacker(interval: int | None) -> Repacker | None:
    from leaven_plugins.commands.data.turbo import is_installed, native

    if interval == 0 or (interval is None and not is_installed()):
        return None
    from leaven_plugins.commands.data.repacking import Repacker

    if interval is not None:
        return Repacker(native("--jpeg-restart"), interval)
    try:
        return Repacker(native("repacking them"), DEFAULT_INTERVAL)
    except MissingPackageError as error:
        click.echo(f"JPEGs are packed as they are: {error}", err=True)
        return None
