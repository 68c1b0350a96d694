"""The commands ``leaven data optimize`` and ``leaven data index``."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from leaven.cli.output import console, emit_json, note
from leaven.errors import DatasetError, MissingPackageError

if TYPE_CHECKING:
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.data.indexing import Indexer
    from leaven_plugins.datasets.msgpack.dataset import MsgpackDataset
    from leaven_plugins.repacking.repacker import Repacker
    from leaven_plugins.repacking.tally import Tally

DEFAULT_INTERVAL = 4
"""Blocks between restart markers. A JPEG gets 2 % smaller: its new Huffman tables save more than the markers take."""

_blocks = click.IntRange(1, 65535)
_path = click.argument("path", type=click.Path(path_type=Path))
_jobs = click.option("--jobs", type=click.IntRange(1), metavar="N", help="Threads; by default one for each processor.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")


@click.command()
@_path
@click.option("--out", type=click.Path(path_type=Path), metavar="DST", help="Write a packed dataset to another file.")
@click.option(
    "--jpeg-restart",
    type=_blocks,
    default=DEFAULT_INTERVAL,
    show_default=True,
    metavar="N",
    help="Blocks between markers, at most.",
)
@click.option(
    "--metadata",
    type=click.Choice(["all", "none"]),
    default="all",
    show_default=True,
    help="Which metadata of JPEGs stay; with none the orientation alone.",
)
@_jobs
@_json
@click.pass_obj
def optimize(
    registry: Registry,
    path: Path,
    out: Path | None,
    jpeg_restart: int,
    metadata: str,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Repack the JPEGs of the packed dataset or the folder PATH, so that parts of them can be decoded alone.

    This is lossless, which is verified for each image; what cannot be repacked stays as it is. A packed dataset takes
    an index of each image, and is replaced when all is done, which takes room for it twice more in the meantime; in a
    folder, files are replaced one by one, and a symbolic link to a packed dataset stays one. A run that was killed is
    taken up again by the same command. Exits with 1 where a file of a folder could not be read or replaced.

    The JSON object has the keys path, out, images, repacked, indexed (had markers, and got an index), already (were to
    be left as they are), left (reason -> number of images), bytes_before, bytes_after, ratio and seconds.
    """
    from leaven_plugins.commands.data.tallied import optimized, print_tally
    from leaven_plugins.repacking.native import native
    from leaven_plugins.repacking.repacker import Repacker

    start, folder = time.monotonic(), path.is_dir()
    if folder and out is not None:
        raise click.UsageError("--out is for packed datasets; files of a folder are replaced where they are")
    repacker = Repacker(native("leaven data optimize"), jpeg_restart, metadata == "all", with_index=not folder)
    if folder:
        tally = _optimize_folder(path, repacker, jobs)
    else:
        settings = {"interval": jpeg_restart, "metadata": metadata}
        tally = _optimize_packed(registry, path, out or path, repacker, settings, jobs)
    if as_json:
        seconds = round(time.monotonic() - start, 3)
        emit_json({"path": path, "out": out or path, **optimized(tally), "seconds": seconds})
    else:
        print_tally(str(out or path), tally, console())
    return 1 if tally.failed else 0


@click.command()
@_path
@click.option(
    "--interval",
    type=_blocks,
    default=DEFAULT_INTERVAL,
    show_default=True,
    metavar="N",
    help="Blocks per entry, at most.",
)
@_jobs
@_json
@click.pass_obj
def index(registry: Registry, path: Path, interval: int, jobs: int | None, as_json: bool) -> int:
    """Index the packed dataset or the folder PATH: its JPEGs, so that parts of them can be decoded alone.

    No image is changed: the index is a file beside the dataset (NAME.msgpack.turbo), or within the folder
    (.leaven-turbo.index), where datasets find it. Exits with 1 where a file of a folder could not be read.

    Of a packed dataset, files of its own index that are missing are written first (of one with the index of datadings
    before version 3 that is all of them), and the labels and other numbers of 1,000 samples or more, from which on
    reading them alone is quicker (NAME.msgpack.columns). That is all where leaven-turbo is not installed.

    The JSON object has the keys path, sidecar, bytes (of the sidecar), images, indexed, already (have an index of their
    own), left (reason -> number of images without one) and seconds; and written (names of files of its own index) where
    there are such.
    """
    from leaven_plugins.commands.data.indexing import Indexer
    from leaven_plugins.commands.data.tallied import indexed, print_tally
    from leaven_plugins.repacking.native import native

    start = time.monotonic()
    written = [] if path.is_dir() else _complete(registry, path)
    try:
        indexer = Indexer(native("leaven data index"), interval)
    except MissingPackageError as error:
        if not written:
            raise
        note(f"wrote {', '.join(written)}; images are as they were: {error}")
        if as_json:
            emit_json({"path": path, "written": written, "sidecar": None, "seconds": _since(start)})
        return 0
    sidecar, tally = (_index_folder if path.is_dir() else _index_packed)(registry, path, indexer, jobs)
    if as_json:
        report = {"path": path, "sidecar": sidecar, "bytes": sidecar.stat().st_size, **indexed(tally)}
        own = {"written": written} if written else {}
        emit_json({**report, **own, "seconds": _since(start)})
    else:
        print_tally(str(path), tally, console())
    return 1 if tally.failed else 0


def _since(start: float) -> float:
    return round(time.monotonic() - start, 3)


def _complete(registry: Registry, path: Path) -> list[str]:
    """Write what is missing of the index of a packed dataset; return the names of the files."""
    with closing(_open_packed(path, registry)) as source:
        return source.complete_index()


def _optimize_packed(
    registry: Registry, path: Path, out: Path, repacker: Repacker, settings: dict[str, Any], jobs: int | None
) -> Tally:
    from leaven.registry.opening import find_writer
    from leaven_plugins.commands.data.optimizing import finish_packed, optimize_packed
    from leaven_plugins.commands.data.progress import progress

    in_place = os.path.realpath(out) == os.path.realpath(path)
    if in_place:
        path = out = path.resolve() if path.is_symlink() else path  # the dataset is replaced, not a link to it
    elif out.exists():
        raise DatasetError(f"{out}: exists already; name another file")
    format_, write = find_writer(out, "msgpack" if in_place else None, registry)
    if format_ != "msgpack":
        raise DatasetError(f"{out}: would be taken for {format_}; name a file that ends in .msgpack")
    if in_place and not path.exists():
        tally = finish_packed(path, write)
        if tally is not None:
            return tally
    with (
        closing(_open_packed(path, registry)) as source,
        progress("repacking", len(source), console(err=True)) as advance,
    ):
        _make_folder(out)
        return optimize_packed(path, source, out, write, repacker, settings, jobs, advance)


def _optimize_folder(root: Path, repacker: Repacker, jobs: int | None) -> Tally:
    from leaven_plugins.commands.data.optimizing_folder import optimize_folder
    from leaven_plugins.commands.data.photo_files import only_one_at_work
    from leaven_plugins.commands.data.progress import progress

    with only_one_at_work(root):
        files = _photos(root)
        with progress("repacking", len(files), console(err=True)) as advance:
            return optimize_folder(root, files, repacker, jobs, advance)


def _index_packed(registry: Registry, path: Path, indexer: Indexer, jobs: int | None) -> tuple[Path, Tally]:
    from leaven_plugins.commands.data.indexing import index_packed
    from leaven_plugins.commands.data.progress import progress

    with (  # what a former sidecar says would count as the samples' own
        closing(_open_packed(path, registry, sidecar=False)) as source,
        progress("indexing", len(source), console(err=True)) as advance,
    ):
        return index_packed(path, source, indexer, jobs, advance)


def _index_folder(registry: Registry, root: Path, indexer: Indexer, jobs: int | None) -> tuple[Path, Tally]:
    from leaven_plugins.commands.data.indexing import index_folder
    from leaven_plugins.commands.data.progress import progress

    files = _photos(root)
    with progress("indexing", len(files), console(err=True)) as advance:
        return index_folder(root, files, indexer, jobs, advance)


def _open_packed(path: Path, registry: Registry, **params: Any) -> MsgpackDataset:
    """Return a packed dataset.

    Raises:
        DatasetError: there is none.
    """
    from leaven.registry.opening import locate

    offer, found = locate(path, registry)
    if offer.name != "msgpack" or not found:
        raise DatasetError(f"{path}: neither a packed dataset (.msgpack) nor a folder")
    return cast("MsgpackDataset", registry.create(offer.qualified, **found, **params))


def _make_folder(out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatasetError(f"{out}: cannot be written: {error.strerror}: {error.filename}") from error


def _photos(root: Path) -> list[str]:
    from leaven_plugins.commands.data.photo_files import photo_files

    files = photo_files(root)
    if not files:
        raise DatasetError(f"{root}: no files that end in .jpg or .jpeg")
    return files
