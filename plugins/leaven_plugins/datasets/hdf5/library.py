"""The HDF5 library: imported when it is needed, its errors named."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from leaven.errors import DatasetError, FormatError, MissingPackageError


def h5py_module() -> ModuleType:
    """Return h5py.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise MissingPackageError("dataset:hdf5 needs h5py: pip install 'leaven[hdf5]'", name="h5py") from error
    module: ModuleType = h5py
    return module


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Context in which what the library says of a file becomes a :class:`~leaven.errors.FormatError`."""
    try:
        yield
    except DatasetError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise FormatError(f"{path}: cannot be read as HDF5: {said}{_advice(said)}") from error


@contextmanager
def writing() -> Iterator[None]:
    """Context in which what the library says of a disk that is full becomes an :class:`OSError`, as it should be."""
    try:
        yield
    except RuntimeError as error:
        said = " ".join(str(error).split())
        reason = re.search(r"error message = '([^']*)'", said)
        raise OSError(errno.EIO, reason[1] if reason else said) from error


def _advice(said: str) -> str:
    if "filter" in said or "plugin" in said:
        return "; it is compressed in a way of its own: pip install hdf5plugin and import it first, or use h5repack"
    return ""
