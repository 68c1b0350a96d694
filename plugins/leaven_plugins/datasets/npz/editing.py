"""Columns of a .npz file that exists: adding one, and leaving one out."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import IO, Any

from leaven_plugins.datasets.column_editing import check_dropped, check_new, column_of
from leaven_plugins.datasets.npz.archive import Archive
from leaven_plugins.datasets.npz.table import members_of, table_of
from leaven_plugins.datasets.npz.writer import check_name, write_column
from leaven_plugins.datasets.replacing import Replacement
from leaven_plugins.datasets.targets import disk_errors_named


def add_column(path: str | Path, name: str, values: Iterable[Any]) -> None:
    """Add a column with a value for each row: a number, text, array, the bytes of a file, or a list of these.

    The file is copied, and replaced once the copy is complete.

    Raises:
        DatasetError: the file does not exist or cannot be written.
        FormatError: there is such a column, values are not one for each row, or nothing that a column can hold.
    """
    path = Path(path)
    names, rows = _columns_of(path)
    check_new(path, name, names)
    check_name(name)
    with column_of(path, name, values, rows) as part, disk_errors_named(path), Replacement(path) as new:
        _copy_without(path, new.file, ())
        with zipfile.ZipFile(new.part, "a", zipfile.ZIP_STORED) as archive:
            write_column(archive, part)
        new.sync()
        new.place()


def drop_column(path: str | Path, name: str) -> None:
    """Leave out a column.

    Raises:
        DatasetError: the file does not exist or cannot be written.
        FormatError: there is no such column, or no other.
    """
    path = Path(path)
    names, _ = _columns_of(path)
    check_dropped(path, name, names)
    with disk_errors_named(path), Replacement(path) as new:
        _copy_without(path, new.file, members_of(name))
        new.sync()
        new.place()


def _columns_of(path: Path) -> tuple[list[str], int]:
    archive = Archive(path, limit=sys.maxsize)
    try:
        table = table_of(archive, None)
        return list(table.columns), len(table)
    finally:
        archive.close()


def _copy_without(source: Path, target: IO[bytes], dropped: Collection[str]) -> None:
    """Write all arrays but some to a new file, each compressed as it was."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            if entry.filename.removesuffix(".npy") in dropped:
                continue
            copy = zipfile.ZipInfo(entry.filename, entry.date_time)
            copy.compress_type = entry.compress_type
            with old.open(entry) as data, new.open(copy, "w", force_zip64=True) as member:
                shutil.copyfileobj(data, member, 1 << 20)
    target.flush()
