"""The commands of ``leaven data``."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.output import console, emit_json
from leaven.errors import DatasetError, MissingPackageError, ParameterError, listing
from leaven_plugins.commands.data.rewriting import DEFAULT_INTERVAL, index, optimize

if TYPE_CHECKING:
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.data.repacking import Repacker
    from leaven_plugins.commands.data.resizing import Resizer

_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")


@click.group()
def data() -> None:
    """Pack samples into one file, see what is in one, verify that all can be read, make its JPEGs quick to decode.

    Datasets are named by the path of a file or folder, or by a component such as dataset:digits.
    """


data.add_command(optimize)
data.add_command(index)


@data.command()
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
@_json
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
    from leaven_plugins.commands.data.opening import find_writer, open_dataset
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


@data.command()
@click.argument("path")
@_json
@click.pass_obj
def info(registry: Registry, path: str, as_json: bool) -> None:
    """Say what is in the dataset at PATH.

    The JSON object has the keys path, format, samples, bytes (of all samples), fields (name and type, of the first
    sample), classes (label and number of samples), image_sizes (height and width: [min, median, max], or null),
    images (how many can be read), indexed (of these, JPEGs with an index or restart markers: parts of them can be
    decoded alone), index_problem (why what leaven data index wrote is of no use, or null) and unreadable (key and
    reason, of images that are none).
    """
    from leaven_plugins.commands.data.opening import locate
    from leaven_plugins.commands.data.progress import progress
    from leaven_plugins.commands.data.report import print_report, report
    from leaven_plugins.commands.data.survey import survey

    offer, params = locate(path, registry)
    decoder = registry.create("decoder:opencv")
    with (
        closing(registry.create(offer.qualified, **params)) as dataset,
        progress("reading", len(dataset), console(err=True)) as advance,
    ):
        seen = survey(dataset, decoder, advance)
    if as_json:
        emit_json(report(path, offer.name, seen, _index_problem(params)))
    else:
        print_report(path, offer.name, seen, _index_problem(params), console())


@data.command()
@click.argument("path", metavar="DATASET")
@click.option(
    "--quarantine", type=click.Path(path_type=Path), metavar="FILE", help="Say which samples listed there are fine now."
)
@click.option("--only-quarantined", is_flag=True, help="Check only the samples that the quarantine file lists.")
@click.option(
    "--key", "keys", multiple=True, metavar="NAME", help="Field of encoded images; by default image. Can be repeated."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="List the failures in a quarantine file.")
@_json
@click.pass_obj
def verify(
    registry: Registry,
    path: str,
    quarantine: Path | None,
    only_quarantined: bool,
    keys: tuple[str, ...],
    out: Path | None,
    as_json: bool,
) -> int:
    """Read all samples of DATASET, and decode their images. Exits with 1 if one fails.

    The JSON object has the keys path, format, samples (how many were checked), images (of those that are fine),
    failures (as a quarantine file lists them), fine and missing (positions of samples that the quarantine file lists,
    and that have nothing wrong with them, or are not in the dataset), elsewhere (how many of its lines are about other
    datasets), index_problem (why what leaven data index wrote is of no use, or null; that is no failure).
    """
    from leaven.stream.quarantine import Quarantine
    from leaven_plugins.commands.data.checking import check_samples
    from leaven_plugins.commands.data.opening import locate
    from leaven_plugins.commands.data.progress import progress
    from leaven_plugins.commands.data.quarantined import Quarantined, compare, quarantined
    from leaven_plugins.commands.data.verdict import print_verdict, verdict

    if only_quarantined and quarantine is None:
        raise click.UsageError("--only-quarantined needs --quarantine FILE")
    if out is not None and out.exists() and (not out.is_file() or out.stat().st_size):
        raise DatasetError(f"{out}: exists already; name another file")
    offer, params = locate(path, registry)
    decoder = registry.create("decoder:opencv")
    with closing(registry.create(offer.qualified, **params)) as dataset:
        listed = Quarantined({}, [], 0) if quarantine is None else quarantined(quarantine, dataset)
        indices = sorted(listed.found) if only_quarantined else range(len(dataset))
        failed = None if out is None else Quarantine(out).add
        with progress("verifying", len(indices), console(err=True)) as advance:
            checked = check_samples(dataset, decoder, indices, keys or ("image",), advance, failed)
    compare(checked, listed)
    if as_json:
        emit_json(verdict(path, offer.name, checked, _index_problem(params)))
    else:
        print_verdict(path, offer.name, checked, quarantine is not None, _index_problem(params), console())
    if keys and checked.absent:
        raise ParameterError(f"--key: no sample of {path} has {listing(map(repr, checked.absent))}")
    return 1 if checked.failures else 0


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


def _index_problem(params: Mapping[str, Any]) -> str | None:
    from leaven_plugins.datasets.jpeg_index import sidecar_problem

    return sidecar_problem(Path(params["path"])) if "path" in params else None
