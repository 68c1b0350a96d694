"""``leaven data pack``."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.output import emit_json
from leaven.errors import LeavenError, MissingPackageError
from leaven_plugins.commands.data import destination
from leaven_plugins.commands.data.options import as_json as as_json_option
from leaven_plugins.commands.data.options import view_option
from leaven_plugins.commands.data.rewriting import DEFAULT_INTERVAL

if TYPE_CHECKING:
    from leaven.registry.registry import Registry


def _size(text: str) -> int | list[int]:
    """Return ``256``, or ``224x320`` as height and width."""
    sides = text.lower().split("x")
    if len(sides) > 2 or not all(side.isdecimal() and 1 <= int(side) <= 65_535 for side in sides):
        raise click.BadParameter(f"{text!r} is neither a number of pixels, from 1 to 65535, nor HxW, such as 224x320")
    return int(sides[0]) if len(sides) == 1 else [int(side) for side in sides]


def _names(text: str) -> list[str]:
    """Return ``["image", "label"]`` of ``image, label``."""
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise click.BadParameter(f"{text!r} is not a list of names such as image,label")
    return names


def _part(text: str) -> tuple[int, int]:
    """Return ``2/8`` as a number, from 0 on, and how many there are."""
    match = re.fullmatch(r"(\d{1,9})/(\d{1,9})", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise click.BadParameter(f"{text!r} is not of the form I/N, such as 0/8, and up to 7/8")
    return int(match[1]), int(match[2])


@click.command()
@click.argument("src")
@click.argument("dst", type=click.Path(path_type=Path))
@destination.writer_options
@view_option
@click.option(
    "--resize",
    type=_size,
    metavar="N|HxW",
    help="Shrink images to N pixels on their shorter side, or give all of them H rows and W columns.",
)
@click.option("--channels", type=click.Choice(["1", "3"]), help="Make images grey (1), or RGB (3).")
@click.option(
    "--encode",
    type=click.Choice(["keep", "jpeg", "png"]),
    default="keep",
    show_default=True,
    help="Encode images that are in another format.",
)
@click.option("--quality", type=click.IntRange(1, 100), default=95, show_default=True, help="Of JPEGs that are made.")
@click.option(
    "--exif",
    type=click.Choice(["keep", "apply", "drop"]),
    default="keep",
    show_default=True,
    help="Metadata: keep them, turn images upright and drop them, or drop them.",
)
@click.option("--fields", type=_names, metavar="NAMES", help="Pack these fields alone, separated by commas.")
@click.option(
    "--jpeg-restart",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Repack JPEGs losslessly, with a restart marker after N blocks at most, and add an index; 0: leave them. "
    f"By default {DEFAULT_INTERVAL} for .msgpack where leaven-turbo is installed, else 0.",
)
@click.option("--shards", type=click.IntRange(1), metavar="N", help="Write N files: STEM_0.EXT, STEM_1.EXT ...")
@click.option("--shard", type=_part, metavar="I/N", help="Write file I of N alone, from 0 on.")
@destination.engine_option
@destination.workers_option
@destination.overwrite_option
@as_json_option
@click.pass_obj
def pack(
    registry: Registry,
    src: str,
    dst: Path,
    format_: str | None,
    options: dict[str, Any],
    views: tuple[str, ...],
    resize: int | list[int] | None,
    channels: str | None,
    encode: str,
    quality: int,
    exif: str,
    fields: list[str] | None,
    jpeg_restart: int | None,
    shards: int | None,
    shard: tuple[int, int] | None,
    engine: str | None,
    workers: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Pack the samples of SRC into the file DST.

    Images are changed by processes, in blocks. Blocks that are done wait in the folder .NAME.packing beside DST: a run
    that was killed is taken up by the same command. Nothing is at DST until it is complete.

    The JSON object has the keys path, format, samples, bytes (of the files), repacked (how many JPEGs were), left
    (reason -> how many images were left alone for it), seconds, paths (of the files), blocks (that were done for it; 0
    where samples were written at once), resumed (how many of these an earlier run has done) and kept (how many shards
    were there already).
    """
    start = time.monotonic()
    if shard is not None and shards not in (None, shard[1]):
        raise click.UsageError(f"--shard {shard[0]}/{shard[1]} and --shards {shards} contradict each other")
    settings = {
        "resize": resize,
        "encode": encode,
        "quality": quality,
        "exif": exif,
        "channels": None if channels is None else int(channels),
        "fields": fields or [],
        "jpeg_restart": _interval(registry, jpeg_restart, dst, format_),
        "shards": shard[1] if shard else shards or 1,
    }
    number = shard[0] if shard else None
    writing = {"format": format_, "options": options, "overwrite": overwrite, "shard": number}
    with _leftovers_told(dst, number):
        report = destination.write_from(registry, src, views, dst, settings, engine=engine, workers=workers, **writing)
    _tell(dst, report, start, as_json)


def _tell(dst: Path, report: Any, start: float, as_json: bool) -> None:
    from leaven_plugins.commands.data.report import samples_text, size_text
    from leaven_plugins.repacking.repacker import REPACKED

    tally = report.tally
    if as_json:
        told = {**destination.report_of(dst, report, start), "repacked": tally.outcomes[REPACKED], "left": tally.left}
        counts = {"blocks": report.blocks, "resumed": report.resumed, "kept": report.kept}
        emit_json({**told, "paths": report.paths, **counts})
        return
    where = dst if len(report.paths) == 1 and report.paths[0] == dst else ", ".join(map(str, report.paths))
    click.echo(f"packed {samples_text(report.samples)} ({size_text(report.bytes)}) into {where}")
    if report.kept:
        click.echo(f"{report.kept:,} of {len(report.paths):,} files were there already")
    if report.resumed:
        click.echo(f"{report.resumed:,} of {report.blocks:,} blocks were there from an earlier run")
    if tally.images:
        click.echo(f"repacked {tally.outcomes[REPACKED]:,} of {tally.images:,} images")


def _interval(registry: Registry, asked: int | None, dst: Path, format_: str | None) -> int:
    """Return after how many blocks JPEGs get restart markers; unless asked, files for other programs have none."""
    from leaven.registry.opening import find_writer
    from leaven_plugins.repacking.native import is_installed, native

    if asked is not None:
        if asked:
            native("--jpeg-restart")  # raises where it is missing
        return asked
    if find_writer(dst, format_, registry).format != "msgpack" or not is_installed():
        return 0
    try:
        native("repacking them")
        return DEFAULT_INTERVAL
    except MissingPackageError as error:
        click.echo(f"JPEGs are packed as they are: {error}", err=True)
        return 0


@contextmanager
def _leftovers_told(dst: Path, shard: int | None) -> Iterator[None]:
    """Context whose errors are followed by a line on what stays for the next run."""
    from leaven_plugins.jobs.pack.folder import leftovers, shard_path

    try:
        yield
    except LeavenError:
        folder = leftovers(dst if shard is None else shard_path(dst, shard))
        if folder is not None:
            click.echo(f"{folder}: blocks that are done stay for the same command; delete it otherwise", err=True)
        raise
