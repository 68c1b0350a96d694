"""The rows of a table as text: where each begins in the file, and the cells in one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.open_file import OpenFile

_CHUNK = 1 << 22
_AT_ONCE = 256
_BOM = b"\xef\xbb\xbf"
_CELL = re.compile(r'"([^"]*(?:""[^"]*)*)"|([^",]*)')


class Rows:
    """A file of rows: comma between cells, double quotes around what has commas, quotes or ends of lines in it.

    Where each row begins is found at once, by its ends of lines that are not within quotes: 16 bytes for each row.
    ``header`` has the cells of the first. Lines without anything are left out.

    Raises:
        DatasetError: the file does not exist.
        FormatError: there is no row, a quote is never closed, or a header has a name twice.
    """

    def __init__(self, path: Path) -> None:
        self._file = OpenFile(path)
        try:
            self._starts, self._ends = self._spans()
            self.header = self._header()
        except BaseException:
            self._file.close()
            raise

    def __len__(self) -> int:
        return len(self._starts) - 1

    def cells(self, row: int) -> list[str]:
        """Return the cells of row ``0 <= row < len``, as many as the header has.

        Raises:
            FormatError: the row is malformed; the text has its line and column.
        """
        start, end = int(self._starts[row + 1]), int(self._ends[row + 1])
        return self._checked(self._file.read(end - start, start), row)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of all rows; many are read at once, which takes half the time for each."""
        for first in range(1, len(self._starts), _AT_ONCE):
            starts, ends = self._starts[first : first + _AT_ONCE], self._ends[first : first + _AT_ONCE]
            begin = int(starts[0])
            data = self._file.read(int(ends[-1]) - begin, begin)
            for n, (start, end) in enumerate(zip((starts - begin).tolist(), (ends - begin).tolist(), strict=True)):
                yield self._checked(data[start:end], first - 1 + n)

    def place(self, row: int) -> str:
        """Return the file and the line of a row, as errors name them."""
        return self._place(row + 1)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _spans(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return where each row with something in it starts and ends, the header's first."""
        breaks = self._breaks()
        starts = np.concatenate([[len(_BOM) if self._begins_with_bom() else 0], breaks + 1])
        ends = np.concatenate([breaks, [self._file.size]])
        lengths = ends - starts
        for at in np.flatnonzero(lengths == 1):  # of a "\r" alone
            lengths[at] = self._file.read(1, int(starts[at])) != b"\r"
        return starts[lengths > 0], ends[lengths > 0]

    def _breaks(self) -> NDArray[np.int64]:
        """Return the offsets of the ends of rows: those of lines before which there is an even number of quotes."""
        found, quotes = [np.zeros(0, np.int64)], 0
        for start in range(0, self._file.size, _CHUNK):
            data = np.frombuffer(self._file.read(min(_CHUNK, self._file.size - start), start), np.uint8)
            newlines = np.flatnonzero(data == ord("\n"))
            quoted = np.flatnonzero(data == ord('"'))
            found.append(newlines[(np.searchsorted(quoted, newlines) + quotes) % 2 == 0] + start)
            quotes += len(quoted)
        breaks = np.concatenate(found)
        if quotes % 2:
            after = f"after byte {breaks[-1]}" if len(breaks) else "in it"
            raise FormatError(f"{self._file.path}: a double quote {after} is never closed")
        return breaks

    def _begins_with_bom(self) -> bool:
        return self._file.size >= len(_BOM) and self._file.read(len(_BOM), 0) == _BOM

    def _header(self) -> list[str]:
        if not len(self._starts):
            raise FormatError(f"{self._file.path}: nothing in it; the first line has to name the columns")
        names = self._split(self._file.read(int(self._ends[0] - self._starts[0]), int(self._starts[0])), 0)
        for n, name in enumerate(names):
            if not name or name in names[:n]:
                what = f"the name {printable(name, 60)!r} twice" if name else f"no name for column {n + 1}"
                raise FormatError(f"{self._place(0)}: {what}")
        return names

    def _checked(self, data: bytes, row: int) -> list[str]:
        cells = self._split(data, row + 1)
        if len(cells) != len(self.header):
            raise FormatError(f"{self.place(row)}: {len(cells)} cells, where the header has {len(self.header)}")
        return cells

    def _split(self, data: bytes, number: int) -> list[str]:
        try:
            text = data.removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            raise FormatError(f"{self._place(number)}: not UTF-8: {error}") from error
        if '"' not in text:
            if "\r" in text:
                raise FormatError(
                    f"{self._place(number)}: a carriage return within a cell: lines have to end in LF or CR LF, "
                    "and cells with ends of lines have to be in quotes"
                )
            return text.split(",")
        return self._split_quoted(text, number)

    def _split_quoted(self, text: str, number: int) -> list[str]:
        cells, at = [], 0
        while at <= len(text):
            match = _CELL.match(text, at)
            assert match is not None  # its second choice matches anything
            quoted, plain = match.groups()
            cells.append(plain if quoted is None else quoted.replace('""', '"'))
            at = match.end()
            if at < len(text) and text[at] != ",":
                raise FormatError(
                    f"{self._place(number)}: column {len(cells)}: a double quote within a cell; the cell has to be in "
                    f'quotes, and quotes in it doubled: "5"" disk"'
                )
            at += 1
        return cells

    def _place(self, number: int) -> str:
        line = 1
        for start in range(0, int(self._starts[number]), _CHUNK):
            line += self._file.read(min(_CHUNK, int(self._starts[number]) - start), start).count(b"\n")
        return f"{self._file.path}: line {line}"
