"""NpzDataset: arrays of numpy in one file, read row by row."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.datasets.column_table import Table, is_getter
from leaven_plugins.datasets.columns import check_columns
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.npz.archive import Archive
from leaven_plugins.datasets.npz.table import class_names, table_of
from leaven_plugins.datasets.npz.writer import write_file
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.shards import write_shards

_OPENING = threading.Lock()


class NpzDataset:
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
        self._opened: _Opened | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._files().table)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return ``key`` and a field for each column. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the file is missing.
            FormatError: it is not what it promises, holds objects, or has no such columns of one length.
        """
        return self._files().table.sample(index)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        return self._files().table.key(index)

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

    def close(self) -> None:
        """Close the file; the next access opens it again."""
        with _OPENING:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.archive.close()

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

    def __getattr__(self, name: str) -> Any:
        if is_getter(name):
            return self._files().table.getter(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def _files(self) -> _Opened:
        opened = self._opened
        if opened is None:
            with _OPENING:
                opened = self._opened = self._opened or _open(self.path, self.columns, self.limit)
        return opened


class _Opened(NamedTuple):
    archive: Archive
    table: Table


def _open(path: Path, columns: Sequence[str] | Mapping[str, str] | None, limit: int) -> _Opened:
    archive = Archive(path, limit)
    try:
        return _Opened(archive, table_of(archive, columns))
    except BaseException:
        archive.close()
        raise
