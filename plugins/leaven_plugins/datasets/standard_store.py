"""Declarations of standard sets, and the arrays that are made of their original files and kept beside these."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from leaven.errors import DatasetError, DeclarationError, FormatError, listing
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import disk_errors_named
from leaven_plugins.fetching.holding import held
from leaven_plugins.fetching.sources import Download, ExistingFile, Source
from leaven_plugins.fetching.transfer import Progress
from leaven_plugins.fetching.verifying import digest_of

_LOG = logging.getLogger("leaven.datasets")
_FOLDER = "arrays-"
_AGAIN = "; leaven data get makes it again"
_SUMS = "sha256.json"


class Arrays:
    """Takes the arrays of a set while they are made."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, array: NDArray[Any]) -> None:
        """Keep an array."""
        with self.growing(name, array.shape, array.dtype) as add:
            add(array)

    @contextmanager
    def growing(self, name: str, shape: Sequence[int], dtype: DTypeLike) -> Iterator[Callable[[NDArray[Any]], None]]:
        """Context that gives a function to add one part after the other of an array that is too large for memory.

        It is written, not mapped: a disk that is full is an error then, where a map would kill the process.
        """
        kind = np.dtype(dtype)
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": tuple(shape)}
        written = 0
        with open(self._folder / f"{name}.npy", "wb") as file:
            np.lib.format.write_array_header_1_0(file, header)

            def add(part: NDArray[Any]) -> None:
                nonlocal written
                written += file.write(np.ascontiguousarray(part, kind).tobytes())

            yield add
        if written != prod(shape) * kind.itemsize:
            raise FormatError(f"{name}: {written} bytes instead of those of {tuple(shape)} {kind}")


@dataclass(frozen=True)
class Declaration:
    """A set that is made of original files.

    Args:
        name: that of the set, and of its folder below the one of all data.
        sources: the files.
        arrays: the names of the arrays that are made of them: ``PART_X_u8``, pictures as ``(n, channels, height,
            width)`` uint8, and ``PART_y``, labels as ``(n,)`` int32, where PART is ``train``, ``test`` or another part
            of the set; and any others.
        convert: is given the paths of the files, by their names, and makes all arrays. What is wrong with a file is a
            :class:`~leaven.errors.FormatError`.
        version: another one where ``convert`` makes other arrays of the same files.
        spec: what ``leaven data get`` is told to get it, where that is not the name.
    """

    name: str
    sources: Sequence[Source]
    arrays: Sequence[str]
    convert: Callable[[Mapping[str, Path], Arrays], None]
    version: int = 1
    spec: str = ""

    def __post_init__(self) -> None:
        names = [source.filename for source in self.sources]
        if not names or len(set(names)) < len(names):
            raise DeclarationError(f"{self.name}: the sources must be files of different names, not {names}")


class Store:
    """The files and arrays of a declaration in one folder.

    Args:
        declaration: the set.
        folder: where downloads and arrays are kept.
        from_dir: a folder with the original files, which stay there.
    """

    def __init__(self, declaration: Declaration, folder: Path, from_dir: Path | None = None) -> None:
        self.declaration = declaration
        self.folder = folder
        self._from = from_dir
        self._sources = [_within(from_dir, source) if from_dir else source for source in declaration.sources]

    def is_ready(self) -> bool:
        """Return whether there are arrays of the files that are declared."""
        key = self._key({})
        return key is not None and self._path(key).is_dir()

    def arrays(self, download: bool = False, progress: Progress | None = None) -> dict[str, NDArray[Any]]:
        """Return all arrays, mapped from the disk; make them first where need be.

        The original files are verified whenever arrays are made of them, which is once, and again where other files
        are declared.

        Args:
            download: whether files that are not there are downloaded; what was made before needs none.
            progress: is told how far downloads have come.

        Raises:
            DatasetError: files are not there, or cannot be had or read.
            FormatError: a file is not the one that was declared, or cannot be made sense of.
        """
        key = self._key({})
        if key is None or not self._path(key).is_dir():
            key = self._made(download, progress)
        return {name: self._mapped(self._path(key) / f"{name}.npy") for name in self.declaration.arrays}

    def fetch(self, progress: Progress | None = None) -> None:
        """Bring the original files here, verify those that are here and the arrays, and make what is missing."""
        self._drop_damaged()
        if not self.is_ready():
            self._made(True, progress)
            return
        for source in self._sources:
            if source.is_here(self.folder):
                source.acquire(self.folder)

    def delete(self) -> list[Path]:
        """Delete downloads, copies and arrays, and return what was deleted; ``from_dir`` is left alone."""
        gone = [path for source in self.declaration.sources for path in source.delete(self.folder)]
        for path in sorted(self.folder.glob(f"{_FOLDER}*")):
            shutil.rmtree(path)
            gone.append(path)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()
        return gone

    def _made(self, download: bool, progress: Progress | None) -> str:
        """Make the arrays unless there are any of the same files, and return their key."""
        self._check_here(download)
        with held(self.folder / "arrays"):
            paths = {source.filename: source.acquire(self.folder, progress) for source in self._sources}
            key = self._key(paths)
            assert key is not None
            if not self._path(key).is_dir():
                self._convert(paths, self._path(key))
        return key

    def _convert(self, paths: Mapping[str, Path], target: Path) -> None:
        with disk_errors_named(target), Staging(target) as staging:
            self.declaration.convert(paths, Arrays(staging.path))
            made = {name: self._mapped(staging.path / f"{name}.npy") for name in self.declaration.arrays}
            _check_parts(made, self.declaration.name)
            sums = {name: digest_of(staging.path / f"{name}.npy") for name in made}
            (staging.path / _SUMS).write_text(json.dumps(sums), "utf-8")
            staging.sync([*(f"{name}.npy" for name in made), _SUMS])
            staging.path.chmod(0o755)  # others may read what is kept for all
            os.rename(staging.path, target)
            for former in self.folder.glob(f"{_FOLDER}*"):
                if former != target:
                    shutil.rmtree(former)

    def _drop_damaged(self) -> None:
        """Delete arrays that are not what was made: bits have changed, or files are missing."""
        key = self._key({})
        if key is None or not self._path(key).is_dir():
            return
        with held(self.folder / "arrays"):
            path = self._path(key)
            if path.is_dir() and not _are_whole(path, self.declaration.arrays):
                _LOG.warning("%s: is damaged, and is made again", path)
                shutil.rmtree(path)

    def _check_here(self, download: bool) -> None:
        absent = [source for source in self._sources if not source.is_here(self.folder)]
        if self._from is None and download:
            absent = [source for source in absent if not isinstance(source, Download)]
        if not absent:
            return
        name = self.declaration.name
        command = f"leaven data get {shlex.quote(self.declaration.spec or name)}"
        advice = "" if self._from else f"; to get it: {command}, or download=True"
        names = listing(source.filename for source in absent)
        raise DatasetError(f"{name}: not in {self._from or self.folder}: {names}{advice}")

    def _key(self, paths: Mapping[str, Path]) -> str | None:
        """Return what tells these files from any others; ``None`` where that takes files that are not in ``paths``."""
        parts = [f"{self.declaration.version}"]
        for source in self._sources:
            if source.sha256 is None and source.filename not in paths:
                return None
            parts.append(f"{source.filename} {source.sha256 or digest_of(paths[source.filename])}")
        return hashlib.sha256("\n".join(parts).lower().encode()).hexdigest()[:16]

    def _path(self, key: str) -> Path:
        return self.folder / f"{_FOLDER}{key}"

    def _mapped(self, path: Path) -> NDArray[Any]:
        try:
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        except FileNotFoundError:
            raise FormatError(f"{self.declaration.name}: {path.name} is missing in {path.parent}{_AGAIN}") from None
        except (ValueError, EOFError) as error:
            raise FormatError(f"{path}: is damaged ({error}){_AGAIN}") from error
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
        plain: NDArray[Any] = mapped.view(np.ndarray)  # which is quicker to index
        return plain


def _are_whole(folder: Path, names: Sequence[str]) -> bool:
    try:
        sums = json.loads((folder / _SUMS).read_text("utf-8"))
        return all(sums[name] == digest_of(folder / f"{name}.npy") for name in names)
    except (OSError, ValueError, LookupError, TypeError, RecursionError, DatasetError):
        return False


def _within(folder: Path, source: Source) -> Source:
    return ExistingFile(folder / source.filename, source.sha256)


def _check_parts(arrays: Mapping[str, NDArray[Any]], name: str) -> None:
    """Raise a :class:`~leaven.errors.FormatError` unless pictures are such, and as many as their labels."""
    for key, array in arrays.items():
        part, _, kind = key.partition("_")
        if kind == "X_u8" and (array.ndim != 4 or array.dtype != np.uint8):
            raise FormatError(f"{name}: {key} is {array.shape} {array.dtype}, not (n, channels, height, width) uint8")
        if kind == "y" or kind.startswith("y_"):
            count = len(arrays.get(f"{part}_X_u8", array))
            if array.shape != (count,) or array.dtype != np.int32:
                raise FormatError(f"{name}: {key} is {array.shape} {array.dtype}, not int32 for {count} pictures")
