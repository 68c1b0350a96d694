"""ParquetDataset: the rows of a Parquet file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data.getters import field
from leaven.errors import FormatError, ParameterError, printable
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.opened_late import OpenedLate
from leaven_plugins.datasets.parquet.file import ParquetFile, arrow_errors_named
from leaven_plugins.datasets.parquet.values import class_names_of, reader_of
from leaven_plugins.datasets.parquet.writer import write_parquet
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.positions import checked


class ParquetDataset(OpenedLate["_Opened"]):
    """Rows of a Parquet file as samples, a field for each column. It needs ``leaven[parquet]``.

    Binary columns are bytes, and so are the images of Hugging Face, ``{bytes, path}``; numbers and text are as they
    are, lists and structs plain lists and mappings, dates and decimals text. Arrays that :meth:`write` has written are
    arrays again. Where there is no column ``key``, keys are the numbers of rows.

    A row is read together with its group of rows, of which the last 4 are kept: read in order, or by the sampler
    ``blocks``, each is decoded once.

    Args:
        path: the file.
        columns: those that are read, and ``key``; all by default.

    Raises:
        ParameterError: ``columns`` is no list of names.
    """

    suffixes = (".parquet",)

    def __init__(self, path: str | Path, columns: Sequence[str] | None = None) -> None:
        if columns is not None and (isinstance(columns, str) or not all(isinstance(name, str) for name in columns)):
            raise ParameterError(f"columns must be a list such as ['image', 'label'], not {columns!r}")
        self.path = path_of(path)
        self.columns = columns

    def __len__(self) -> int:
        """Return the number of rows, from the file's foot."""
        return len(self._files().file)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key``, and a field for each column. Negative positions count from the end.

        Raises:
            IndexError: there is no such row.
            DatasetError: the file cannot be read.
            FormatError: it is damaged, or an image lies elsewhere.
            MissingPackageError: pyarrow is not installed.
        """
        opened = self._files()
        position = checked(index, len(opened.file), self.path)
        row = opened.file.row(position)
        with arrow_errors_named(self.path):
            (values,) = row.to_pylist()
        try:
            sample = {name: opened.read[name](value) for name, value in values.items()}
        except FormatError as error:
            raise FormatError(f"{self.path}: row {position}: {error}") from error
        return {**sample, "key": _key(sample.get("key"), position, self.path)}

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        opened = self._files()
        position = checked(index, len(opened.file), self.path)
        if "key" not in opened.file.columns:
            return str(position)
        if opened.keys is None:
            opened.keys = opened.file.column("key")
        with arrow_errors_named(self.path):
            value = opened.keys[position].as_py()
        return _key(value, position, self.path)

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> Any:
        """Return the label of a sample; all of them are read once, and nothing else.

        Raises:
            SampleError: there is no column ``label``.
        """
        opened = self._files()
        position = checked(index, len(opened.file), self.path)
        if "label" not in opened.file.columns:
            return field(dict.fromkeys(opened.file.columns), "label", position)
        label = self._labels(opened)[position]
        return label.item() if isinstance(label, np.integer) else label

    def getall_label(self) -> Any:
        """Return all labels, reading nothing else: int64 ``(n,)`` where they are whole numbers, else a list.

        Raises:
            SampleError: there is no column ``label``.
        """
        opened = self._files()
        if "label" not in opened.file.columns:
            return field(dict.fromkeys(opened.file.columns), "label", 0)
        return self._labels(opened)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that Hugging Face keeps of a column ``label``, or none."""
        return class_names_of(self._files().file.schema, "label")

    @classmethod
    def write(
        cls,
        path: str | Path,
        samples: Iterable[Mapping[Any, Any] | bytes],
        *,
        overwrite: bool = False,
        rows: int = 100,
    ) -> int:
        """Write samples to a Parquet file, and return their number.

        Each field is a column, of the type that it has in the first group of rows. Arrays are bytes of an ``.npy`` file
        there. Pages have checksums. Until the file is complete, ``path`` does not change.

        Args:
            path: the file.
            samples: mappings with a unique string under ``key``, or packed messages, all with the same fields; ``path``
                is left out. Taken one by one.
            overwrite: whether a file that exists is replaced.
            rows: how many there are in a group, which is what is read at once.

        Raises:
            ParameterError: ``rows`` is not at least 1.
            DatasetError: ``path`` exists, a key appears twice, there are no samples, or the file cannot be written.
            FormatError: a sample has other fields than those before, or a value that no column holds.
            MissingPackageError: pyarrow is not installed.
        """
        check_whole("dataset:parquet", 1, rows=rows)
        return write_parquet(path_of(path), samples, overwrite, rows)

    def _labels(self, opened: _Opened) -> Any:
        if opened.labels is None:
            with arrow_errors_named(self.path):
                values = opened.file.column("label").to_pylist()
            whole = all(type(value) is int for value in values)
            opened.labels = np.array(values, np.int64) if whole else values
        return opened.labels

    def _open(self) -> _Opened:
        file = ParquetFile(self.path, self.columns)
        return _Opened(file, {name: reader_of(file.schema.field(name)) for name in file.columns})


@dataclass
class _Opened:
    file: ParquetFile
    read: dict[str, Callable[[Any], Any]]
    keys: Any = None
    """The column of keys, once one was asked for: other columns are not read for that."""
    labels: Any = None
    """All labels, once they were asked for."""

    def close(self) -> None:
        self.file.close()


def _key(value: Any, position: int, path: Path) -> str:
    if value is None:
        return str(position)
    if not isinstance(value, (str, int)):
        raise FormatError(f"{path}: row {position}: its key is {printable(repr(value), 60)}, neither text nor a number")
    return str(value)
