"""NpzDataset: arrays of numpy in one file, read row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.datasets.column_table import Table
from leaven_plugins.datasets.columns import check_columns
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.npz.archive import Archive
from leaven_plugins.datasets.npz.table import class_names, table_of
from leaven_plugins.datasets.npz.writer import write_file
from leaven_plugins.datasets.opened_late import TableDataset
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.shards import write_shards


class NpzDataset(TableDataset["_Opened"]):
    """One sample for each row of a file's arrays, as ``np.savez`` or this class has written them.

    Numbers of 64 bits and text come as those of Python, other numbers as numpy's, rows of several as arrays. Rows of
    any length lie in two arrays: ``image.bytes``, all files in a row, and ``image.offsets``, where each begins and
    ends; ``.text`` in place of ``.bytes`` is UTF-8, ``.values`` are numbers; ``NAME.frames`` says how many of these
    each row has a list of. The column ``key`` has the keys; without one they are the rows' numbers. Images that can
    only be ``(channels, height, width)`` come as ``(height, width, channels)``.

    Rows of arrays that are stored are read where they lie. Compressed ones are unpacked as a whole when they are first
    asked for, and stay in memory. Arrays of Python objects are never read: to read them is to run what is in them.

    Args:
        path: the file.
        columns: a list of those to read, or a mapping from fields to columns, such as
            ``{"image": "x_train", "label": "y_train"}``; by default all.
        limit: bytes that the compressed arrays may take in memory.
    """

    suffixes = (".npz",)

    def __init__(
        self,
        path: str | Path,
        columns: Sequence[str] | Mapping[str, str] | None = None,
        limit: int = 1 << 32,
    ) -> None:
        check_columns(columns)
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
            raise ParameterError(f"limit={limit!r}: expected a number of bytes")
        self.path = path_of(path)
        self.columns = columns
        self.limit = limit

    @property
    def class_names(self) -> tuple[str, ...]:
        """The texts of the array ``class_names``, or none where there is no such."""
        return class_names(self._files().archive)

    def problems(self) -> Iterator[Finding]:
        """Yield each array that is not what its checksum says; reading rows where they lie does not tell."""
        try:
            members = self._files().archive.members
        except DatasetError:  # which opening it tells
            return
        for member in members.values():
            try:
                member.check()
            except DatasetError as error:
                yield Finding("checksum", str(error).removeprefix(f"{self.path}: "), "get it again", str(self.path))

    @classmethod
    def write(
        cls,
        path: str | Path,
        samples: Iterable[Mapping[Any, Any] | bytes],
        *,
        overwrite: bool = False,
        shards: int = 1,
    ) -> int:
        """Write samples, one or more arrays for each field, without compression; return how many there were.

        Args:
            path: the file.
            samples: mappings with a unique string under ``key``, or such samples as packed messages; all of them with
                the same fields. Taken one by one.
            overwrite: whether a file that exists is replaced.
            shards: how many files: more than one are called ``STEM_0.npz``, ``STEM_1.npz``, ..., and differ in length
                by at most one row.

        Raises:
            DatasetError: a file exists, a key appears twice, or the disk is full.
            FormatError: a field cannot be a column, or is of another kind than in the samples before.
        """
        return write_shards(path_of(path), samples, overwrite, shards, write_file)

    def _rows(self) -> Table:
        return self._files().table

    def _open(self) -> _Opened:
        archive = Archive(self.path, self.limit)
        try:
            return _Opened(archive, table_of(archive, self.columns))
        except BaseException:
            archive.close()
            raise


class _Opened(NamedTuple):
    archive: Archive
    table: Table

    def close(self) -> None:
        self.archive.close()
