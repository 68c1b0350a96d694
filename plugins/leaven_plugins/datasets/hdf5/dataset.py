"""Hdf5Dataset: the columns of an HDF5 file, read row by row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from leaven_plugins.datasets.column_table import Table
from leaven_plugins.datasets.columns import check_columns
from leaven_plugins.datasets.hdf5.file import Hdf5File
from leaven_plugins.datasets.hdf5.writer import write_file
from leaven_plugins.datasets.opened_late import TableDataset
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.shards import write_shards


class Hdf5Dataset(TableDataset["_Opened"]):
    """One sample for each row of a file's columns, as nebulae writes them.

    Numbers of 64 bits come as those of Python, others as numpy's, arrays as arrays, text as ``str``; variable columns
    of uint8 are the bytes of encoded files, unless this class has written them from arrays. A column with another one,
    ``NAME.frames``, beside it has a list of items in each row. The column ``key`` has the keys; without one they are
    the rows' numbers. Images that can only be ``(channels, height, width)`` come as ``(height, width, channels)``.

    The file is opened at the first access, once in each process. Threads may read at the same time, and take turns.

    Args:
        path: the file.
        group: where in it the columns are, such as ``"cifar10"`` or ``"a/b"``.
        columns: a list of those to read, or a mapping from fields to columns, such as
            ``{"image": "train_X_u8", "label": "train_y"}``; by default all.
    """

    suffixes = (".hdf5", ".h5")

    def __init__(
        self, path: str | Path, group: str = "", columns: Sequence[str] | Mapping[str, str] | None = None
    ) -> None:
        check_columns(columns)
        self.path = path_of(path)
        self.group = group
        self.columns = columns

    @property
    def class_names(self) -> tuple[str, ...]:
        """The texts of the dataset ``class_names`` beside the columns, or none where there is no such."""
        return self._files().file.class_names(self.group)

    @classmethod
    def write(
        cls,
        path: str | Path,
        samples: Iterable[Mapping[Any, Any] | bytes],
        *,
        overwrite: bool = False,
        shards: int = 1,
    ) -> int:
        """Write samples, one dataset for each field; return how many there were.

        Arrays of one shape become a dataset with as many dimensions more; lists of numbers of different lengths,
        texts and encoded files become variable ones. A list of files becomes all files in a row, with their numbers in
        ``NAME.frames``, and the longest of them in ``_MAX_FRAMES``.

        Args:
            path: the file.
            samples: mappings with a unique string under ``key``, or such samples as packed messages; all of them with
                the same fields. Taken one by one.
            overwrite: whether a file that exists is replaced.
            shards: how many files: more than one are called ``STEM_0.hdf5``, ``STEM_1.hdf5``, ..., and differ in length
                by at most one row.

        Raises:
            DatasetError: a file exists, a key appears twice, or the disk is full.
            FormatError: a field cannot be a column, or is of another kind than in the samples before.
        """
        return write_shards(path_of(path), samples, overwrite, shards, write_file)

    def _rows(self) -> Table:
        return self._files().table

    def _files(self) -> _Opened:
        if self._opened is not None and self._opened.file.pid != os.getpid():
            self._opened = None  # a handle does not survive a fork
        return super()._files()

    def _open(self) -> _Opened:
        file = Hdf5File(self.path)
        try:
            return _Opened(file, file.table(self.group, self.columns))
        except BaseException:
            file.close()
            raise


class _Opened(NamedTuple):
    file: Hdf5File
    table: Table

    def close(self) -> None:
        self.file.close()
