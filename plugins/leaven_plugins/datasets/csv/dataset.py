"""CsvDataset: the rows of a table, with the files that they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from leaven.errors import ParameterError
from leaven_plugins.datasets.csv.table import CsvTable
from leaven_plugins.datasets.csv.writer import write_table
from leaven_plugins.datasets.opened_late import TableDataset
from leaven_plugins.datasets.paths import path_of


class CsvDataset(TableDataset[CsvTable]):
    """One sample for each row of a table: commas between cells, double quotes, names of columns in the first line.

    The column of images has names of files; what is in these is the field ``image``. Other columns are fields by their
    names: text and numbers of Python, numpy's of other than 64 bits, and arrays where a cell has commas. The key is
    what is in the column ``key``, else the name of the file, or the row's number where there are no files or one comes
    twice.

    The table is looked through once for where rows begin, at the first access; images are read one by one.

    Args:
        path: the table, UTF-8.
        files_dir: the folder that names of files start from, by default the table's. Nothing outside is read.
        dtype: types of columns, a list with one for each or a mapping from their names: ``uint8`` to ``uint64``,
            ``int8`` to ``int64``, ``float16``, ``float32``, ``float64``, ``bool``, ``str``; with ``v`` in front, a list
            of any length in each row, with commas between. Without one, the first 1000 rows tell: whole numbers,
            numbers, true and false, or text.
        image: the column that names files; ``"auto"`` for the first if its first value does, ``None`` for none.
        sequence: whether that column's cells have several names each, with commas between: ``image`` is then a list.

    Raises:
        ParameterError: there is no such type or column; raised when the table is read.
    """

    suffixes = (".csv",)

    def __init__(
        self,
        path: str | Path,
        files_dir: str | Path | None = None,
        dtype: Sequence[str] | Mapping[str, str] | None = None,
        image: str | None = "auto",
        sequence: bool = False,
    ) -> None:
        if not isinstance(dtype, (list, tuple, Mapping, type(None))):
            raise ParameterError(f"dtype must be a list with a type for each column, or a mapping, not {dtype!r}")
        self.path = path_of(path)
        self.files_dir = files_dir
        self.dtype = dtype
        self.image = image
        self.sequence = sequence

    @classmethod
    def write(
        cls,
        path: str | Path,
        samples: Iterable[Mapping[Any, Any] | bytes],
        *,
        overwrite: bool = False,
        files: str = "",
    ) -> int:
        """Write a table and the files of images beside it; return how many samples there were.

        A table does not say of which types its columns are: numbers come back with 64 bits, a list of one number as
        that number, and text that looks like numbers, or is ``true`` or ``false``, as these, but for ``key`` and
        ``_label``, unless ``dtype`` says otherwise.

        Args:
            path: the table.
            samples: mappings with a unique string under ``key``, or such samples as packed messages; all of them with
                the same fields. Taken one by one.
            overwrite: whether a table that exists is replaced, with its folder of files; one that has anything else in
                it is not.
            files: name of the folder of images beside the table, by default ``STEM_files``.

        Raises:
            DatasetError: table or folder exists, a key appears twice, or the disk is full.
            FormatError: a field cannot be in a cell: bytes other than ``image``, arrays of several dimensions.
        """
        return write_table(path_of(path), samples, overwrite, files)

    def _rows(self) -> CsvTable:
        return self._files()

    def _open(self) -> CsvTable:
        folder = self.path.parent if self.files_dir is None else Path(self.files_dir)
        return CsvTable(self.path, folder, self.dtype, self.image, self.sequence)
