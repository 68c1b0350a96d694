"""Writing HDF5: one dataset for each column, as nebulae lays it out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leaven.errors import FormatError
from leaven_plugins.datasets.columns import BYTES, NUMBER, TEXT
from leaven_plugins.datasets.hdf5.column import ARRAY
from leaven_plugins.datasets.hdf5.file import FRAMES, MOST_FRAMES, NAMES
from leaven_plugins.datasets.hdf5.library import h5py_module, writing
from leaven_plugins.datasets.spool import Part


def write_file(path: Path, columns: Sequence[Part]) -> None:
    """Write columns to a new file.

    Raises:
        FormatError: a column has a name that stands for something else, or a text has a NUL, which ends it in HDF5.
        OSError: the disk is full.
    """
    h5py = h5py_module()
    with writing(), h5py.File(path, "w", track_order=True) as file:
        for part in columns:
            check_name(part.column.name)
            write_column(file, part)
        longest = [part.counts.max(initial=0) for part in columns if part.column.kind.listed]
        if longest:
            file.create_dataset(MOST_FRAMES, data=int(max(longest)))


def write_column(file: Any, part: Part) -> None:
    """Write one column to a file that is open."""
    column = part.column
    items = part.last - part.first
    if column.shape is None:
        dataset = file.create_dataset(column.name, (items,), _variable_type(column.kind.content, column.kind.dtype))
        if column.kind.content == NUMBER and column.kind.dtype == np.uint8:
            dataset.attrs["leaven"] = ARRAY
    else:
        dataset = file.create_dataset(column.name, (items, *column.shape), column.kind.dtype)
    if column.kind.listed:
        file.create_dataset(column.name + FRAMES, data=part.counts)
    offsets = part.offsets
    for start, stop, values in part.slabs():
        if column.shape is not None:
            dataset[start:stop] = values.reshape(stop - start, *column.shape)
        else:
            cuts = offsets[start : stop + 1] - offsets[start]
            objects = _objects(column.name, column.kind.content, values, cuts.tolist(), dataset.dtype)
            # dataset[start:stop] = objects would make a table of those of one length, and fail
            dataset.write_direct(objects, dest_sel=np.s_[start:stop])


def _objects(name: str, content: str, values: Any, cuts: Sequence[int], dtype: np.dtype[Any]) -> Any:
    """Return an array of one object for each item."""
    found = np.empty(len(cuts) - 1, dtype)
    for n in range(len(found)):
        value = values[cuts[n] : cuts[n + 1]]
        found[n] = _text(name, value.tobytes()) if content == TEXT else value
    return found


def _text(name: str, encoded: bytes) -> str:
    if b"\0" in encoded:
        raise FormatError(f"column {name!r}: {encoded.decode()!r} has a NUL, where a text of HDF5 ends")
    return encoded.decode()


def _variable_type(content: str, dtype: np.dtype[Any]) -> Any:
    h5py = h5py_module()
    if content == TEXT:
        return h5py.string_dtype()
    return h5py.vlen_dtype(np.dtype(np.uint8) if content == BYTES else dtype)


def check_name(name: str) -> None:
    """Raise a :class:`~leaven.errors.FormatError` where a name stands for something else."""
    if name in (MOST_FRAMES, NAMES) or name.endswith(FRAMES):
        raise FormatError(f"a column cannot be called {name!r}: in HDF5 files that says something of other columns")
