"""Writing .npz: the arrays of each column, stored as they are, so that rows can be read in place."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError
from leaven_plugins.datasets.npz.table import ENDS, FRAMES, NAMES, OFFSETS
from leaven_plugins.datasets.spool import Part

_DATE = (1980, 1, 1, 0, 0, 0)  # the same samples give the same file


def write_file(path: Path, columns: Sequence[Part]) -> None:
    """Write columns to a new file.

    Raises:
        FormatError: a column has a name that stands for something else.
        OSError: the disk is full.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for part in columns:
            check_name(part.column.name)
            write_column(archive, part)


def write_column(archive: zipfile.ZipFile, part: Part) -> None:
    """Write one column to an archive that is open."""
    column = part.column
    name, items, values = column.name, part.last - part.first, (values for _, _, values in part.slabs())
    if column.shape is not None:
        write_array(archive, name, column.kind.dtype, (items, *column.shape), values)
        return
    offsets = part.offsets
    write_array(archive, name + ENDS[column.kind.content], column.kind.dtype, (int(offsets[-1]),), values)
    write_array(archive, name + OFFSETS, offsets.dtype, offsets.shape, [offsets])
    if column.kind.listed:
        counts = part.counts
        write_array(archive, name + FRAMES, counts.dtype, counts.shape, [counts])


def write_array(
    archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any], shape: tuple[int, ...], parts: Iterable[NDArray[Any]]
) -> None:
    """Write an array as ``np.savez`` does, from parts of its values."""
    with archive.open(zipfile.ZipInfo(f"{name}.npy", _DATE), "w", force_zip64=True) as member:
        for data in _encoded(dtype, shape, parts):
            member.write(data)


def _encoded(dtype: np.dtype[Any], shape: tuple[int, ...], parts: Iterable[NDArray[Any]]) -> Iterator[bytes]:
    head = BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    yield head.getvalue()
    for part in parts:
        yield part.tobytes()


def check_name(name: str) -> None:
    """Raise a :class:`~leaven.errors.FormatError` where a name stands for something else."""
    if name == NAMES or name.endswith((OFFSETS, FRAMES, *ENDS.values())):
        raise FormatError(f"a column cannot be called {name!r}: in .npz files that is a part of another column")
