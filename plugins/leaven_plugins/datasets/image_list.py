"""Lists of files in a text: one path per line, and after a tab the label, if it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.open_file import OpenFile


class Entry(NamedTuple):
    """One line: a path with ``/``, the label as it is written, ``None`` where there is none, and the line's number."""

    path: str
    label: str | None
    line: int


def read_list(path: Path) -> list[Entry]:
    """Return the entries of a list; empty lines are passed over.

    Raises:
        DatasetError: it cannot be read.
        FormatError: it is not UTF-8, a path leads out of the folder or comes twice.
    """
    seen: dict[str, int] = {}
    entries = list(_entries(path))
    for entry in entries:
        if entry.path.startswith("/") or ".." in entry.path.split("/"):
            raise FormatError(f"{path}: line {entry.line}: {printable(entry.path)!r} leads out of the folder")
        first = seen.setdefault(entry.path, entry.line)
        if first != entry.line:
            raise FormatError(f"{path}: line {entry.line}: {printable(entry.path)!r} is in line {first} already")
    return entries


def _entries(path: Path) -> Iterator[Entry]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        name, tab, label = line.removesuffix("\r").partition("\t")
        if name.strip():
            yield Entry(name.removeprefix("./"), label.strip() if tab else None, number)


def _text(path: Path) -> str:
    file = OpenFile(path)
    try:
        content = file.read(file.size, 0)
    finally:
        file.close()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: byte {error.start} is not UTF-8: a list is a text") from error
