"""MsgpackDataset: packed samples in one file, read at random."""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import ParameterError, printable
from leaven_plugins.datasets.jpeg_index import PackedIndex, with_index
from leaven_plugins.datasets.msgpack.index import Index, open_index
from leaven_plugins.datasets.msgpack.writer import write_samples
from leaven_plugins.datasets.open_file import OpenFile

_OPENING = threading.Lock()


class MsgpackDataset:
    """Samples in the format of datadings: ``NAME.msgpack`` and the files of its index beside it.

    Files are opened at the first access and only then; a dataset that is closed, copied or handed to another process
    holds nothing but its path. Threads may read from it at the same time.

    Args:
        path: the data file. Its index lies beside it: ``.offsets`` and ``.keys`` (and if there, ``.key_hashes`` and
            ``.filter``) appended to its full name, or ``.index`` as written by datadings before version 3. What
            ``leaven data index`` has found out about its JPEGs lies in ``.turbo``.
        sidecar: whether samples come with what the ``.turbo`` file says.
    """

    suffixes = (".msgpack",)

    def __init__(self, path: str | Path, sidecar: bool = True) -> None:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise ParameterError(f"path must be that of a file, not {path!r}")
        self.path = Path(path)
        self.sidecar = sidecar
        self._opened: _Opened | None = None

    def __len__(self) -> int:
        """Return the number of samples, from the head of the file of keys."""
        return len(self._files().positions)

    def sample(self, index: int) -> bytes:
        """Return a sample as it is stored, one msgpack message. Negative positions count from the end.

        Where there is a ``.turbo`` file with an index of its image, this is one field more: ``image_index``. A file
        that is damaged, or was made for other data, is left alone, which is logged once in ``leaven.datasets``.

        Raises:
            IndexError: there is no such sample.
            DatasetError: a file is missing or cannot be read.
            FormatError: a file is cut off, or index and data do not fit.
        """
        data, positions, jpegs = self._files()
        position = _checked(index, positions, self.path)
        start, end = positions.span(position)
        message = data.read(end - start, start)
        image_index = jpegs.index(position) if jpegs is not None else None
        return message if image_index is None else with_index(message, image_index)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        positions = self._files().positions
        return positions.key(_checked(index, positions, self.path))

    def offset(self, index: int) -> int:
        """Return where in the data file the bytes of a sample begin; raises as :meth:`sample` does."""
        positions = self._files().positions
        return positions.span(_checked(index, positions, self.path))[0]

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
        for part in opened or ():
            if part is not None:
                part.close()

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
        return write_samples(Path(path), samples, overwrite)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}

    def _files(self) -> _Opened:
        opened = self._opened
        if opened is None:
            with _OPENING:
                opened = self._opened = self._opened or _open(self.path, self.sidecar)
        return opened


class _Opened(NamedTuple):
    data: OpenFile
    positions: Index
    jpegs: PackedIndex | None


def _open(path: Path, sidecar: bool) -> _Opened:
    data = OpenFile(path)
    return _Opened(data, open_index(path, data.size), PackedIndex.beside(path) if sidecar else None)


def _checked(index: int, positions: Index, path: Path) -> int:
    position = operator.index(index)
    count = len(positions)
    if not -count <= position < count:
        raise IndexError(f"{path}: no sample {position}, there are {count}")
    return position % count
