"""MsgpackDataset: packed samples in one file, read at random."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from leaven.data.getters import content, field
from leaven.errors import DatasetError, printable
from leaven_plugins.datasets.findings import Finding
from leaven_plugins.datasets.jpeg_index import PackedIndex, with_index
from leaven_plugins.datasets.msgpack.columns import Column, Columns
from leaven_plugins.datasets.msgpack.files import COLUMNS, FILTER, HASHES, KEYS, LEGACY, MD5, OFFSETS
from leaven_plugins.datasets.msgpack.index import Index, open_index
from leaven_plugins.datasets.msgpack.partial import find_number
from leaven_plugins.datasets.msgpack.reindexing import complete_index
from leaven_plugins.datasets.msgpack.soundness import problems
from leaven_plugins.datasets.msgpack.writer import write_samples
from leaven_plugins.datasets.open_file import Readable, open_readable
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.positions import checked

_OPENING = threading.Lock()
_SMALL = 4096  # bytes up to which a sample is unpacked as quickly as searched


class MsgpackDataset:
    """Samples in the format of datadings: ``NAME.msgpack`` and the files of its index beside it.

    Files are opened at the first access and only then; a dataset that is closed, copied or handed to another process
    holds nothing but its path. Threads may read from it at the same time.

    Besides ``label``, the other numbers that all samples have can be read alone: of a field ``NAME``,
    ``getitem_NAME(index)`` and ``getall_NAME()`` are there where the file ``.columns`` has it.

    Args:
        path: the data file. Its index lies beside it: ``.offsets`` and ``.keys`` (and if there, ``.key_hashes`` and
            ``.filter``) appended to its full name, or ``.index`` as written by datadings before version 3. The numbers
            of samples are in ``.columns``, what ``leaven data index`` has found out about their JPEGs in ``.turbo``.
        sidecar: whether samples come with what the ``.turbo`` file says.
        mapped: whether the file is mapped into memory: reading 1 kB takes half the time, reading 100 kB two thirds. A
            file that somebody cuts off while it is mapped kills the process, where it is a FormatError otherwise.
    """

    suffixes = (".msgpack",)
    companions = (OFFSETS, KEYS, HASHES, FILTER, MD5, LEGACY, COLUMNS, ".turbo")

    def __init__(self, path: str | Path, sidecar: bool = True, mapped: bool = False) -> None:
        self.path = path_of(path)
        self.sidecar = sidecar
        self.mapped = mapped
        self._opened: _Opened | None = None
        self._columns: Columns | Literal[False] | None = None  # False: there are none of use

    def __len__(self) -> int:
        """Return the number of samples, from the head of the file of keys."""
        return self._files().count

    def sample(self, index: int) -> bytes:
        """Return a sample as it is stored, one msgpack message. Negative positions count from the end.

        Where there is a ``.turbo`` file with an index of its image, this is one field more: ``image_index``. A file
        that is damaged, or was made for other data, is left alone, which is logged once in ``leaven.datasets``.

        Raises:
            IndexError: there is no such sample.
            DatasetError: a file is missing or cannot be read.
            FormatError: a file is cut off, or index and data do not fit.
        """
        opened = self._opened or self._files()
        if type(index) is not int or not 0 <= index < opened.count:  # this way the usual case takes 0.2 us less
            index = checked(index, opened.count, self.path)
        message = opened.message(index)
        if opened.jpegs is None:
            return message
        image_index = opened.jpegs.index(index)
        return message if image_index is None else with_index(message, image_index)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        files = self._files()
        return files.positions.key(checked(index, files.count, self.path))

    def offset(self, index: int) -> int:
        """Return where in the data file the bytes of a sample begin; raises as :meth:`sample` does."""
        files = self._files()
        return files.positions.span(checked(index, files.count, self.path))[0]

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> Any:
        """Return the label of a sample without reading its image; raises as :meth:`sample` does.

        Raises:
            SampleError: it has none.
        """
        return self._part("label", index)

    def getall_label(self) -> Any:
        """Return the labels of all samples: an array ``(n,)`` where they are in ``.columns``, else a list."""
        return self._parts("label")

    def __getattr__(self, name: str) -> Any:
        kind, _, part = name.partition("_")
        if kind not in ("getitem", "getall") or not self._has_column(part):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if kind == "getitem":
            return lambda index, ctx=None: self._part(part, index)
        return lambda: self._parts(part)

    def status(self) -> os.stat_result:
        """Return what the data file was when it was opened; raises as :meth:`sample` does."""
        return self._files().data.status

    def find(self, key: str) -> int:
        """Return the position of the sample with this key.

        Raises:
            KeyError: there is none.
            DatasetError, FormatError: as for :meth:`sample`.
        """
        position = self._files().positions.find(key)
        if position is None:
            raise KeyError(f"{self.path}: no sample {printable(key)!r}")
        return position

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._files().positions.find(key) is not None

    def close(self) -> None:
        """Close the files; the next access opens them again."""
        with _OPENING:
            opened, self._opened = self._opened, None
            columns, self._columns = self._columns, None
        for part in (opened, columns):
            if part:
                part.close()

    def complete_index(self) -> list[str]:
        """Write what is missing of the index, and the file of columns; return the names of the files that were written.

        A data file alone gets an index of the keys within its samples; one with a legacy index gets one of its keys.

        Raises:
            DatasetError: a file cannot be read or written, or the data are not what their checksum says.
            FormatError: the data file is damaged.
        """
        self.close()
        return complete_index(self.path)

    def problems(self) -> Iterator[Finding]:
        """Yield what is wrong with the files themselves, beyond what reading each sample shows."""
        return problems(self.path)

    @classmethod
    def write(cls, path: str | Path, samples: Iterable[Mapping[Any, Any] | bytes], *, overwrite: bool = False) -> int:
        """Write a dataset, and return the number of its samples.

        Everything is written beside ``path`` under other names first: until it is complete, ``path`` does not change.
        Folders that do not exist are made.

        Args:
            path: the data file, by custom ``NAME.msgpack``.
            samples: mappings with a unique string under ``key``, or such samples as packed messages. Taken one by one.
            overwrite: whether a dataset that exists is replaced.

        Raises:
            DatasetError: ``path`` exists, a key is missing or appears twice, or a file cannot be written.
            FormatError: a sample cannot be packed.
        """
        return write_samples(path_of(path), samples, overwrite)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None, "_columns": None}

    def _files(self) -> _Opened:
        opened = self._opened
        if opened is None:
            with _OPENING:
                opened = self._opened = self._opened or _open(self.path, self.sidecar, self.mapped)
        return opened

    def _part(self, name: str, index: int) -> Any:
        """Return one field of a sample, of its column, else of as few bytes as possible."""
        files = self._files()
        position = checked(index, files.count, self.path)
        column = self._column(name)
        if column is not None:
            return column.item(position)
        start, end = files.positions.span(position)
        number = find_number(files.data.read, start, end, name) if end - start > _SMALL else None
        return field(content(self, position), name, position) if number is None else number

    def _parts(self, name: str) -> Any:
        column = self._column(name)
        return [self._part(name, index) for index in range(len(self))] if column is None else column.all()

    def _has_column(self, name: str) -> bool:
        try:
            return self._column(name) is not None
        except DatasetError:  # which the next access tells
            return False

    def _column(self, name: str) -> Column | None:
        columns = self._columns
        if columns is None:
            files = self._files()
            with _OPENING:
                columns = self._columns = self._columns or Columns.beside(self.path, files.count) or False
        return columns.get(name) if columns else None


@dataclass(frozen=True, slots=True)
class _Opened:
    data: Readable
    positions: Index
    message: Callable[[int], bytes]
    count: int
    jpegs: PackedIndex | None

    def close(self) -> None:
        for part in (self.data, self.positions, self.jpegs):
            if part is not None:
                part.close()


def _open(path: Path, sidecar: bool, mapped: bool) -> _Opened:
    data = open_readable(path, mapped)
    positions = open_index(path, data.size, mapped)
    jpegs = PackedIndex.beside(path) if sidecar else None
    return _Opened(data, positions, positions.reader(data), len(positions), jpegs)
