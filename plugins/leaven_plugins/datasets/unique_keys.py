"""Keys of samples that are written: texts, and each of them once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leaven.errors import DatasetError, FormatError, printable


class UniqueKeys:
    """The keys that were written to ``path`` so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._positions: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._positions)

    def add(self, fields: Mapping[Any, Any]) -> str:
        """Return the key of the next sample.

        Raises:
            FormatError: it has none that is a text.
            DatasetError: a sample before has the same one.
        """
        key = fields.get("key")
        if not isinstance(key, str):
            raise FormatError(f"its 'key' is {type(key).__name__} {printable(repr(key), 60)} instead of a string")
        try:
            key.encode()
        except UnicodeEncodeError as error:
            raise FormatError(f"its 'key' {printable(repr(key), 60)} is no text that UTF-8 has") from error
        position = len(self._positions)
        first = self._positions.setdefault(key, position)
        if first != position:
            raise DatasetError(f"{self._path}: samples {first} and {position} have the same key {printable(key)!r}")
        return key
