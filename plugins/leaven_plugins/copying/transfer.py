"""Copying and unpacking what a source has, with as many threads as asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from leaven.errors import DatasetError
from leaven_plugins.copying.archive import Archive
from leaven_plugins.copying.sources import Source

_SPARE = 64 << 20  # bytes that a disk has left afterwards


def transfer(source: Source, target: Path, workers: int, log: Callable[[str], None]) -> None:
    """Copy everything into a folder that exists.

    Raises:
        DatasetError: there is not enough room, or a file is another one than it was.
        FormatError: an archive is damaged or hostile; nothing of it is unpacked then.
        OSError: a file cannot be read or written.
    """
    archives = [(Archive(path), target / folder) for path, folder in source.archives]
    nbytes = sum(size for _, size in source.files) + sum(archive.size for archive, _ in archives)
    count = len(source.files) + sum(archive.count for archive, _ in archives)
    _check_room(target, nbytes)
    log(f"{target}: {count:,} files of {nbytes / 1e9:.3g} GB from {source.path}")
    for folder in source.folders:
        (target / folder).mkdir()
    work: list[Callable[[], None]] = [partial(archive.unpack, folder) for archive, folder in archives]
    work += [partial(_copied, source.path / name, target / name, size) for name, size in source.files]
    _done(work, workers)


def _done(work: list[Callable[[], None]], workers: int) -> None:
    if not workers:
        for step in work:
            step()
        return
    with ThreadPoolExecutor(workers, "leaven-copy") as threads:
        futures = [threads.submit(step) for step in work]
        try:
            for future in futures:
                future.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def _copied(source: Path, target: Path, size: int) -> None:
    shutil.copy2(source, target)
    found = os.stat(target).st_size
    if found != size:
        raise DatasetError(f"{source}: has changed while it was copied: {size} bytes before, {found} now")


def _check_room(target: Path, nbytes: int) -> None:
    free = shutil.disk_usage(target).free
    if nbytes + _SPARE > free:
        raise DatasetError(f"{target}: {nbytes / 1e9:.3g} GB are to be copied, and {free / 1e9:.3g} GB are free")
