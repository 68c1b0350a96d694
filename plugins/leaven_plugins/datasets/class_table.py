"""Class tables: which number and name the folder of a class stands for.

Where folders alone do not tell (numbers with gaps, names that no folder can have), a small file beside them does: a map
in JSON, ``{"FOLDER": {"label": 3, "name": "a/b"}, ...}``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from leaven.errors import DatasetError, FormatError, listing, printable, suggestion
from leaven.registry.patterns import natural

CLASSES = ".leaven-classes.json"
"""Name of the file; it lies where the folders of the classes do."""

_MOST_NAMES = 1 << 16  # a label may be any number; a table of names up to 10^9 is of no use to anybody


class Class(NamedTuple):
    """A class: its number, and its name."""

    label: int
    name: str


ClassTable = Mapping[str, Class]
"""The classes by their folder."""


def counted(folders: Iterable[str]) -> dict[str, Class]:
    """Return the classes of folders that say nothing else: in natural order of their names, counted from 0."""
    return {folder: Class(n, folder) for n, folder in enumerate(sorted(set(folders), key=natural))}


def numbered(folders: Iterable[str], stored: ClassTable | None, where: str) -> ClassTable:
    """Return the classes of folders, by the table that lies beside them if there is one.

    Raises:
        DatasetError: a folder is not in that table.
    """
    if stored is None:
        return counted(folders)
    for folder in folders:
        if folder not in stored:
            hint = suggestion(folder, stored) or f"; it has: {listing(stored)}"
            raise DatasetError(
                f"{where}: class {printable(folder)!r} is not in {CLASSES}{hint}; add it there, or remove that file"
            )
    return stored


def names_of(classes: ClassTable) -> tuple[str, ...]:
    """Return the names in the order of the labels; a number between them that nobody has stands for itself."""
    names = {label: name for label, name in reversed([*classes.values()]) if label >= 0}
    most = max(names, default=-1)
    return tuple(names.get(label, str(label)) for label in range(most + 1)) if most < _MOST_NAMES else ()


def encode_classes(classes: ClassTable) -> bytes:
    """Return the content of the file for these classes."""
    entries = {folder: one._asdict() for folder, one in sorted(classes.items(), key=lambda item: item[1])}
    return (json.dumps(entries, ensure_ascii=False, indent=1) + "\n").encode()


def decode_classes(content: bytes, where: str) -> dict[str, Class]:
    """Return the classes that such a file has.

    Raises:
        FormatError: it is no such map.
    """
    try:
        entries = json.loads(content)
        classes = {folder: Class(entry["label"], entry["name"]) for folder, entry in entries.items()}
    except Exception as error:  # also RecursionError
        raise FormatError(
            f"{where}: not a table of classes: {printable(str(error) or type(error).__name__)}"
        ) from error
    for folder, (label, name) in classes.items():
        if type(label) is not int or not isinstance(name, str) or not -(1 << 63) <= label < 1 << 63:
            raise FormatError(f"{where}: class {printable(folder)!r}: not a whole number and a name")
    return classes
