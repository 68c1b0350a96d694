"""What formats share: files are opened at the first access, once for all threads, and not carried along by copies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """What was opened."""

    def close(self) -> None:
        """Give back files and memory."""


class Rows(Protocol):
    """Rows of named columns."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a row."""

    def key(self, index: int) -> str:
        """Return the key of a row."""

    def getter(self, name: str) -> Callable[..., Any]:
        """Return ``getitem_NAME`` or ``getall_NAME``; raise ``AttributeError`` where there is no such column."""


Opened = TypeVar("Opened", bound=Closable)

_OPENING = threading.RLock()


class OpenedLate(Generic[Opened]):
    """Base of datasets whose ``_open()`` returns what they read from.

    A dataset that is closed, copied or handed to another process holds nothing but its parameters.
    """

    _opened: Opened | None = None

    def close(self) -> None:
        """Close the files; the next access opens them again."""
        with _OPENING:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _files(self) -> Opened:
        opened = self._opened
        if opened is None:
            with _OPENING:
                opened = self._opened
                if opened is None:
                    opened = self._opened = self._open()
        return opened

    def _open(self) -> Opened:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_opened": None}


class TableDataset(OpenedLate[Opened]):
    """Base of datasets with a sample for each row of ``_rows()``, whose columns can be read alone."""

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows())

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return ``key`` and a field for each column. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: a file is missing.
            FormatError: it is not what its format promises.
        """
        return self._rows().sample(index)

    def key(self, index: int) -> str:
        """Return the key of a sample; raises as :meth:`sample` does."""
        return self._rows().key(index)

    def __getattr__(self, name: str) -> Any:
        if name.startswith(("getitem_", "getall_")):
            return self._rows().getter(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _rows(self) -> Rows:
        raise NotImplementedError
