"""What a dataset is written to: that it may be, and errors of the disk that name it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leaven.errors import DatasetError


def check_target(path: Path, overwrite: bool) -> None:
    """Raise a :class:`~leaven.errors.DatasetError` where a file may not be written to ``path``.

    That is a folder, or exists and is not to be replaced, or has a name that no file can have.
    """
    with disk_errors_named(path):
        is_folder, exists = path.is_dir(), path.exists()
    if is_folder:
        raise DatasetError(f"{path}: is a folder")
    if exists and not overwrite:
        raise DatasetError(f"{path}: exists already; overwrite=True (--overwrite) replaces it")


@contextmanager
def disk_errors_named(path: Path) -> Iterator[None]:
    """Context in which an error of the system becomes a :class:`~leaven.errors.DatasetError` that names ``path``."""
    try:
        yield
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from error
