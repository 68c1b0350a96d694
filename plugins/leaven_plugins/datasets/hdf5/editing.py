"""Columns of an HDF5 file that exists: adding one, and leaving one out."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from leaven.errors import FormatError
from leaven_plugins.datasets.column_editing import check_dropped, check_new, column_of
from leaven_plugins.datasets.hdf5.file import FRAMES, MOST_FRAMES, Hdf5File
from leaven_plugins.datasets.hdf5.library import h5py_module, writing
from leaven_plugins.datasets.hdf5.writer import check_name, write_column
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
        shutil.copyfile(path, new.part)
        with writing(), h5py_module().File(new.part, "r+", locking=False) as file:  # it is locked already
            write_column(file, part)
            if part.column.kind.listed:
                _note_longest(file, int(part.counts.max(initial=0)))
        new.sync()
        new.place()


def drop_column(path: str | Path, name: str) -> None:
    """Leave out a column; what it took is free afterwards.

    Raises:
        DatasetError: the file does not exist or cannot be written.
        FormatError: there is no such column, or no other.
    """
    path = Path(path)
    names, _ = _columns_of(path)
    check_dropped(path, name, names)
    with disk_errors_named(path), Replacement(path) as new:
        _copy_without(path, new.part, (name, name + FRAMES))
        new.sync()
        new.place()


def _columns_of(path: Path) -> tuple[list[str], int]:
    file = Hdf5File(path)
    try:
        table = file.table("", None)
        return list(table.columns), len(table)
    finally:
        file.close()


def _copy_without(source: Path, target: Path, dropped: Sequence[str]) -> None:
    """Write everything but some members to a new file: to delete them in a copy would leave their bytes in it."""
    h5py = h5py_module()
    with (
        writing(),
        h5py.File(source, "r") as old,
        h5py.File(target, "w", locking=False, track_order=True) as new,
    ):
        new.attrs.update(old.attrs)
        for name in old:
            if not isinstance(old.get(name, getlink=True), h5py.HardLink):
                raise FormatError(f"{source}: {name!r} is a link, which may lead to another file: refused")
            if name not in dropped:
                old.copy(name, new)


def _note_longest(file: Any, longest: int) -> None:
    """Raise the scalar for the longest list of the file, if need be."""
    if MOST_FRAMES in file:
        longest = max(longest, int(file[MOST_FRAMES][()]))
        del file[MOST_FRAMES]
    file.create_dataset(MOST_FRAMES, data=longest)
