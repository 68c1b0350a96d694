"""An HDF5 file that is open: which of its parts may be read, and how each is read as a column.

Files are foreign data. An HDF5 file may name other files, from which the library would then read: external links,
external storage and virtual datasets are refused, and so are types that lead anywhere else.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from leaven.errors import FormatError, listing, suggestion
from leaven_plugins.datasets.column_table import ChannelsLast, Listed, ReadColumn, Table, has_channels_first, starts_of
from leaven_plugins.datasets.columns import chosen
from leaven_plugins.datasets.hdf5.column import Hdf5Column, content_of, library_column
from leaven_plugins.datasets.hdf5.heap import Heap, HeapColumn, heap_column
from leaven_plugins.datasets.hdf5.library import h5py_module, reading
from leaven_plugins.datasets.open_file import OpenFile

FRAMES = ".frames"
"""What the name of a column ends in that says how many of another one's items are in each row."""

MOST_FRAMES = "_MAX_FRAMES"
"""The scalar beside them, the longest of a file's lists: nebulae's name for it."""

NAMES = "class_names"

# gzip makes at most 1,032 bytes of one: what declares more than twice that for each byte of its file holds nothing.
_MOST_EXPANSION = 2048
_ALWAYS_ALLOWED = 1 << 24
_LARGEST_CHUNK = 1 << 30


class Hdf5File:
    """A file that is open for reading in this process; threads take turns.

    Raises:
        DatasetError: it does not exist.
        FormatError: it is not HDF5.
    """

    def __init__(self, path: Path) -> None:
        h5py = h5py_module()
        self.path = path
        self.pid = os.getpid()
        self.lock = threading.RLock()
        self._raw = OpenFile(path)
        try:
            with reading(path):
                self._file = h5py.File(path, "r")
                self._heap = Heap(self._raw, self._file.userblock_size)
        except BaseException:
            self._raw.close()
            raise

    def table(self, group: str, columns: Mapping[str, str] | Sequence[str] | None) -> Table:
        """Return the columns of a group; ``columns`` chooses among them.

        Raises:
            FormatError: there is no such group or column, or it may not be read.
        """
        with self.lock, reading(self.path):
            parent = self._group(group)
            found = chosen(columns, self._names(parent), str(self.path))
            return Table(self.path, {field: self._column(parent, name, field) for field, name in found.items()})

    def class_names(self, group: str) -> tuple[str, ...]:
        """Return the texts in the group's ``class_names``, or none where it has no such dataset."""
        with self.lock, reading(self.path):
            parent = self._group(group)
            return tuple(self._stored(parent, NAMES).all()) if NAMES in parent else ()

    def close(self) -> None:
        """Close it; whoever reads from it at this time ends first."""
        with self.lock:
            self._file.close()
            self._raw.close()

    def _group(self, path: str) -> Any:
        found = self._file
        for name in filter(None, path.split("/")):
            found = self._member(found, name)
            if not hasattr(found, "create_group"):
                raise FormatError(f"{self.path}: {path!r}: {name!r} is no group")
        return found

    def _names(self, parent: Any) -> list[str]:
        """Return the names of columns: datasets with rows, but for those that belong to others."""
        members = [name for name in parent if name != NAMES and not name.endswith(FRAMES)]
        names = [name for name in members if getattr(self._member(parent, name), "shape", ())]
        if not names:
            raise FormatError(f"{self.path}: no columns in {parent.name!r}{_groups_in(parent)}")
        return names

    def _member(self, parent: Any, name: str) -> Any:
        h5py = h5py_module()
        if name not in parent.keys():  # noqa: SIM118 - "in" alone would look along a path
            raise FormatError(
                f"{self.path}: {parent.name!r} has no {name!r}{suggestion(name, parent)}; it has: {listing(parent)}"
            )
        if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
            raise FormatError(f"{self.path}: {name!r} is a link, which may lead to another file: refused")
        member = parent[name]
        if isinstance(member, h5py.Dataset):
            self._check(member)
        return member

    def _check(self, dataset: Any) -> None:
        """Refuse what leads out of the file, and what declares far more than the file can hold."""
        if dataset.external or dataset.is_virtual:
            raise FormatError(f"{self.path}: {dataset.name!r} says that its data lie elsewhere: refused")
        chunk = math.prod(dataset.chunks or ()) * dataset.dtype.itemsize
        if chunk > _LARGEST_CHUNK and dataset.id.get_create_plist().get_nfilters():
            raise FormatError(
                f"{self.path}: {dataset.name!r} lies in packed chunks of {chunk} bytes, which is what reading a row "
                f"takes in memory: {_LARGEST_CHUNK} are allowed; h5repack -l makes them smaller"
            )
        rows = dataset.shape[0] if dataset.shape else 0
        if max(dataset.nbytes or 0, rows) > _MOST_EXPANSION * self._raw.size + _ALWAYS_ALLOWED:
            raise FormatError(
                f"{self.path}: {dataset.name!r} {dataset.shape}: more than a file of {self._raw.size} bytes holds"
            )

    def _column(self, parent: Any, name: str, field: str) -> ReadColumn:
        column = self._stored(parent, name)
        if name + FRAMES in parent:
            counts = np.asarray(self._stored(parent, name + FRAMES).all())
            return Listed(column, starts_of(counts, len(column), f"{self.path}: {name + FRAMES!r}"))
        if field == "image" and isinstance(column, Hdf5Column) and has_channels_first(column.dataset.shape[1:]):
            return ChannelsLast(column)
        return column

    def _stored(self, parent: Any, name: str) -> HeapColumn | Hdf5Column:
        dataset = self._member(parent, name)
        if not getattr(dataset, "shape", ()):
            raise FormatError(f"{self.path}: {name!r} is no dataset with rows")
        content = content_of(dataset, self.path)
        direct = heap_column(self._heap, dataset, content) if dataset.dtype.kind == "O" else None
        return library_column(dataset, self.path, self.lock, content) if direct is None else direct


def _groups_in(parent: Any) -> str:
    h5py = h5py_module()
    groups = [name for name in parent if parent.get(name, getclass=True) is h5py.Group]
    return f"; group=... chooses one of its groups: {listing(groups)}" if groups else ""
