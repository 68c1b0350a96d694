"""copy_to_local: a folder, packed or not, brought to a disk of this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.copying.marks import END, START, remove_contents, state_of
from leaven_plugins.copying.sources import find_source
from leaven_plugins.copying.transfer import transfer
from leaven_plugins.fetching.holding import held


class CopyResult(NamedTuple):
    """What was done: nothing, or what an attempt that was broken off had left was removed, and all was copied.

    ``source_format`` is ``"raw"`` for a folder, ``"zip"`` for a folder in an archive, ``"zips"`` for a folder of
    archives, and ``None`` where nothing was done.
    """

    was_copied: bool
    was_deleted: bool
    source_format: str | None


def copy_to_local(
    source: str | Path,
    destination: str | Path,
    relative: str | Path | None = None,
    workers: int = 0,
    log: Callable[[str], None] | None = None,
) -> CopyResult:
    """Copy a folder to a disk of this machine, unless it is there already.

    The source is a folder, or an archive of the same name with ``.zip`` behind it. In a folder at least half of whose
    entries are archives, each is unpacked into a folder of its own name, ``train.zip`` into ``train``; whatever else
    is in there is copied. Archives called ``batch_00.zip`` and so on, which
    :func:`~leaven_plugins.copying.zips.create_zips` makes of a folder without classes, are unpacked into the
    destination itself.

    The destination holds ``autocopy_start.txt`` from the start and ``autocopy_end.txt`` once it is complete. One with
    the first alone was broken off: it is removed, and copied again. A folder with files and neither of them was made
    by hand, and stays as it is. Processes that want the same at the same time wait for the one that copies.

    Args:
        source: a folder, or what it lies in.
        destination: where it is to lie, or a folder in that.
        relative: path below both of them.
        workers: how many threads copy and unpack; 0 for none besides the caller's.
        log: gets lines that say what is done.

    Raises:
        ParameterError: ``relative`` leads out of the folders, the destination is within the source, one of them is no
            path, ``workers``.
        DatasetError: there is no such source, it holds what is no file or folder, the disk has not enough room, or a
            file cannot be read or written.
        FormatError: an archive is damaged, or has members that lead out of it, are links, or unpack to far more than
            there is.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 0:
        raise ParameterError(f"workers={workers!r}: expected a whole number, at least 0")
    origin, target = _joined(source, relative), Path(os.path.realpath(_joined(destination, relative)))
    _check_apart(origin, target)
    say = log or _silent
    with held(target):
        state = state_of(target)
        if state in ("complete", "manual"):
            say(f"{target}: {'is complete' if state == 'complete' else 'was made by hand, and is left as it is'}")
            return CopyResult(False, False, None)
        found = find_source(origin)
        if state == "incomplete":
            say(f"{target}: was broken off, and is removed")
            remove_contents(target)
        _filled(target, lambda: transfer(found, target, workers, say))
        say(f"{target}: complete")
        return CopyResult(True, state == "incomplete", found.format)


def _joined(folder: str | Path, relative: str | Path | None) -> Path:
    try:
        path = Path(folder).expanduser()
        os.path.realpath(path)
    except (ValueError, RuntimeError) as error:  # a zero byte in it, or the home of nobody
        raise ParameterError(f"{str(folder)!r}: is no path: {error}") from error
    if relative is None:
        return path
    if Path(relative).is_absolute() or ".." in Path(relative).parts:
        raise ParameterError(f"relative={str(relative)!r}: leads out of {path}")
    return path / relative


def _check_apart(source: Path, target: Path) -> None:
    origin = Path(os.path.realpath(source))
    if not origin.is_dir():  # an archive may lie beside the destination, or have gone by now
        return
    if target == origin or origin in target.parents or target in origin.parents:
        raise ParameterError(f"{target}: is the source {origin} itself, or one of both lies within the other")


def _filled(target: Path, fill: Callable[[], None]) -> None:
    """Make the folder with its two marks, and what comes between them."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / START).touch()
        fill()
        os.sync()  # the second mark says that all is there: not that it would have been, but for a power cut
        (target / END).touch()
    except OSError as error:
        where = error.filename2 or error.filename or target
        raise DatasetError(f"{where}: cannot be copied: {error.strerror or error}") from error


def _silent(line: str) -> None:
    """Say nothing."""
