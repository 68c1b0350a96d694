"""What adding a column to a file and leaving one out have in common, whatever the format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from leaven.errors import FormatError, listing, suggestion
from leaven_plugins.datasets.spool import GrowingColumn, Part
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import disk_errors_named


@contextmanager
def column_of(path: Path, name: str, values: Iterable[Any], rows: int) -> Iterator[Part]:
    """Context with a column of these values, which lie in a file beside ``path`` for as long.

    Raises:
        FormatError: they are not one for each of ``rows``, or nothing that one column can hold.
        DatasetError: the disk is full.
    """
    with Staging(path) as staging:
        with disk_errors_named(path):
            column = GrowingColumn(name, staging.path / "column")
        try:
            _fill(column, path, name, values, rows)
            with disk_errors_named(path):
                part = column.complete().part(0, rows)
            yield part
        finally:
            with suppress(OSError):  # a disk that is full has been told already
                column.close()


def check_new(path: Path, name: str, existing: Sequence[str]) -> None:
    """Raise a :class:`~leaven.errors.FormatError` where there is a column of this name."""
    if name in existing:
        raise FormatError(f"{path}: there is a column {name!r} already; it has: {listing(existing)}")
    if not name or "/" in name:
        raise FormatError(f"{path}: {name!r} cannot be the name of a column")


def check_dropped(path: Path, name: str, existing: Sequence[str]) -> None:
    """Raise a :class:`~leaven.errors.FormatError` where there is no such column, or no other."""
    if name not in existing:
        raise FormatError(f"{path}: no column {name!r}{suggestion(name, existing)}; there is: {listing(existing)}")
    if len(existing) == 1:
        raise FormatError(f"{path}: {name!r} is the only column")


def _fill(column: GrowingColumn, path: Path, name: str, values: Iterable[Any], rows: int) -> None:
    count = 0
    for value in values:
        try:
            with disk_errors_named(path):
                column.append(value)
        except FormatError as error:
            raise FormatError(f"{path}: column {name!r}, row {count}: {error}") from error
        count += 1
    if count != rows:
        raise FormatError(f"{path}: {count} values for the column {name!r}, where there are {rows} rows")
