"""One dataset of an HDF5 file as a column: numbers, text, and rows of any length."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leaven.errors import FormatError
from leaven_plugins.datasets.column_table import native, plain
from leaven_plugins.datasets.hdf5.library import h5py_module, reading

ARRAY = "array"
"""The attribute ``leaven`` of variable columns of uint8 that are numbers; without it they are the bytes of files."""


@dataclass(frozen=True)
class Hdf5Column:
    """One dataset of the file. ``content`` is ``number``, ``text``, ``bytes`` or ``array`` (of any length)."""

    dataset: Any
    path: Path
    lock: threading.RLock
    content: str

    def __len__(self) -> int:
        length: int = self.dataset.shape[0]
        return length

    def row(self, index: int) -> Any:
        """Return a number, a text, the bytes of a file, or an array."""
        with self.lock, reading(self.path):
            return self._value(self.dataset[index])

    def all(self) -> Any:
        """Return an array of numbers, or a list of anything else."""
        with self.lock, reading(self.path):
            values = self.dataset[()]
        return native(values) if self.content == "number" else [self._value(value) for value in values]

    def _value(self, value: Any) -> Any:
        if self.content == "text":
            return _decoded(value, self.path, self.dataset.name)
        if self.content == "bytes":
            return value.tobytes()
        return native(value) if isinstance(value, np.ndarray) else plain(value)


def library_column(dataset: Any, path: Path, lock: threading.RLock, content: str) -> Hdf5Column:
    """Return a dataset that the library reads.

    Raises:
        FormatError: it would read it wrong.
    """
    numbers = h5py_module().check_vlen_dtype(dataset.dtype) if content == "array" else None
    if numbers is not None and not numbers.isnative:
        # h5py 3.16 hands out 0, 256 for 0, 1
        raise FormatError(
            f"{path}: {dataset.name!r}: compressed rows of {numbers}, which h5py does not swap: save it uncompressed"
        )
    return Hdf5Column(dataset, path, lock, content)


def content_of(dataset: Any, path: Path) -> str:
    """Return which kind of column a dataset is.

    Raises:
        FormatError: none: references, compounds, and whatever else may be in a file.
    """
    h5py = h5py_module()
    variable = h5py.check_vlen_dtype(dataset.dtype)
    one_per_row = dataset.ndim == 1
    if h5py.check_string_dtype(dataset.dtype) is not None and one_per_row:
        return "text"
    if isinstance(variable, np.dtype) and variable.kind in "biuf" and one_per_row:
        is_file = variable == np.uint8 and dataset.attrs.get("leaven") != ARRAY
        return "bytes" if is_file else "array"
    if variable is None and dataset.dtype.kind in "biuf":
        return "number"
    raise FormatError(
        f"{path}: {dataset.name!r} holds {_type_name(dataset)}, which is not read: numbers, text, lists of numbers are"
    )


def _type_name(dataset: Any) -> str:
    h5py = h5py_module()
    if h5py.check_ref_dtype(dataset.dtype) is not None:
        return "references"
    return f"{dataset.dtype} of {dataset.ndim} dimensions"


def _decoded(value: Any, path: Path, name: str) -> str:
    try:
        return value.decode() if isinstance(value, bytes) else str(value)
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: {name!r}: text that is not UTF-8: {error}") from error
