"""MsgpackDataset: packed samples in one file, read at random."""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from leaven.errors import ParameterError, printable
from leaven_plugins.datasets.msgpack.files import OpenFile
from leaven_plugins.datasets.msgpack.index import Index, open_index
from leaven_plugins.datasets.msgpack.writer import write_samples

_OPENING = threading.Lock()


class MsgpackDataset:
    """Samples in the format of datadings: ``NAME.msgpack`` and the files of its index beside it.

    Files are opened at the first access and only then; a dataset that is closed, copied or handed to another process
    holds nothing but its path. Threads may read from it at the same time.

    Args:
        path: the data file. Its index lies beside it: ``.offsets`` and ``.keys`` (and if there, ``.key_hashes`` and
            ``.filter``) appended to its full name, or ``.index`` as written by datadings before version 3.
    """

    suffixes = (".msgpack",)

    def __init__(self, path: str | Path) -> None:
        if not isinstance(path, (str, os.PathLike)) or not os.fspath(path):
            raise ParameterError(f"path must be that of a file, not {path!r}")
        self.path = Path(path)
        self._opened: tuple[OpenFile, Index] | None = None

    def __len__(self) -> int:
        """Return the number of samples, from the head of the file of keys."""
        return len(self._files()[1])

    def sample(self, index: int) -> bytes:
        """Return a sample as it is stored, one msgpack message. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: a file is missing or cannot be read.
            FormatError: a file is cut off, or index and data do not fit.
        """
        data, positions = self._files()
        start, end = positions.span(_checked(index, positions, self.path))
        return data.read(end - start, start)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        positions = self._files()[1]
        return positions.key(_checked(index, positions, self.path))

    def offset(self, index: int) -> int:
        """Return where in the data file the bytes of a sample begin; raises as :meth:`sample` does."""
        positions = self._files()[1]
        return positions.span(_checked(index, positions, self.path))[0]

    def find(self, key: str) -> int:
        """Return the position of the sample with this key.

        Raises:
            KeyError: there is none.
            DatasetError, FormatError: as for :meth:`sample`.
        """
        position = self._files()[1].find(key)
        if position is None:
            raise KeyError(f"{self.path}: no sample {printable(key)!r}")
        return position

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self._files()[1].find(key) is not None

    def close(self) -> None:
        """Close the files; the next access opens them again."""
        with _OPENING:
            opened, self._opened = self._opened, None
        if opened is not None:
            for part in opened:
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

    def _files(self) -> tuple[OpenFile, Index]:
        opened = self._opened
        if opened is None:
            with _OPENING:
                opened = self._opened = self._opened or _open(self.path)
        return opened


def _open(path: Path) -> tuple[OpenFile, Index]:
    data = OpenFile(path)
    return data, open_index(path, data.size)


def _checked(index: int, positions: Index, path: Path) -> int:
    position = operator.index(index)
    count = len(positions)
    if not -count <= position < count:
        raise IndexError(f"{path}: no sample {position}, there are {count}")
    return position % count
