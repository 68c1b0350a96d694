"""JSONLogger: records as lines of JSON, each with the time at which it was written."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any, TextIO

from leaven.errors import LeavenError


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class JSONLogger:
    """Appends one JSON object per record to a file, ``timestamp`` (ISO 8601, UTC) first.

    The file and its folder are made with the first record; every record is flushed. Arrays and tensors become lists,
    numbers that JSON does not know (NaN, infinities) become ``null``, whatever else it does not know its text.

    Args:
        path: the file.
        now: what gives the time.
    """

    def __init__(self, path: str | PathLike[str], now: Callable[[], datetime] = utc_now) -> None:
        self.path = Path(path)
        self._now = now
        self._file: TextIO | None = None
        self._closed = False

    def log(self, **fields: Any) -> None:
        """Write one record.

        Raises:
            LeavenError: the logger is closed, or the file cannot be written.
        """
        if self._closed:
            raise LeavenError(f"{self.path}: the log is closed")
        record = {"timestamp": self._now().isoformat(), **fields}
        line = json.dumps(_plain(record), allow_nan=False) + "\n"
        try:
            file = self._opened()
            file.write(line)
            file.flush()
        except OSError as error:
            raise LeavenError(f"{self.path}: the log cannot be written: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file; doing it again changes nothing."""
        self._closed = True
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> TextIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        return self._file


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return str(value)
