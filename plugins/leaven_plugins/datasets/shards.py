"""Shards: one set of rows in several files of equal length, ``STEM_0.EXT``, ``STEM_1.EXT``, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.datasets.spool import Part, Spool
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import check_target, disk_errors_named


def write_shards(
    path: Path,
    samples: Iterable[Mapping[Any, Any] | bytes],
    overwrite: bool,
    shards: int,
    write: Callable[[Path, Sequence[Part]], None],
) -> int:
    """Write samples to ``path``, or to exactly as many ``shards`` beside it; return how many there were.

    ``write(file, columns)`` writes one file; the files take their names once all of them are complete.

    Raises:
        ParameterError: ``shards`` is not a whole number of at least 1.
        DatasetError, FormatError: as :class:`~leaven_plugins.datasets.spool.Spool` and the disk have it.
    """
    if isinstance(shards, bool) or not isinstance(shards, int) or shards < 1:
        raise ParameterError(f"shards={shards!r}: expected a whole number, at least 1")
    if not path.name:
        raise DatasetError(f"{path}: is a folder")
    names = [path.name] if shards == 1 else [_name(path, n) for n in range(shards)]
    check_targets(path, names, overwrite)
    with Staging(path) as staging:
        with Spool(staging.path, path) as spool:
            spool.extend(samples)
            columns = spool.columns()
            with disk_errors_named(path):
                for name, (start, stop) in zip(names, spans(len(spool), shards), strict=True):
                    write(staging.path / name, [column.part(start, stop) for column in columns])
        with disk_errors_named(path):
            staging.sync(names)
            check_targets(path, names, overwrite)
            if shards > 1:  # old and new ones never lie beside each other
                for name in names:
                    path.with_name(name).unlink(missing_ok=True)
            staging.commit(names)
    return len(spool)


def spans(rows: int, shards: int) -> list[tuple[int, int]]:
    """Return where each shard starts and ends: they differ by at most one row, and the longer ones come first."""
    size, longer = divmod(rows, shards)
    starts = [n * size + min(n, longer) for n in range(shards + 1)]
    return list(pairwise(starts))


def check_targets(path: Path, names: Sequence[str], overwrite: bool) -> None:
    """Raise a :class:`~leaven.errors.DatasetError` where a file may not be written, or there are more shards."""
    for name in names:
        check_target(path.with_name(name), overwrite)
    beyond = path.with_name(_name(path, len(names)))
    if len(names) > 1 and beyond.exists():
        raise DatasetError(f"{beyond}: a set of more than {len(names)} shards is there: remove it, or they would mix")


def _name(path: Path, number: int) -> str:
    return f"{path.stem}_{number}{path.suffix}"
