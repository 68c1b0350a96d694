"""FolderDataset: the images below a folder, labelled by the names of their folders."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import DatasetError, ParameterError, listing
from leaven.registry.patterns import natural
from leaven_plugins.datasets.folder.pattern import compile_pattern
from leaven_plugins.datasets.jpeg_index import FIELD, FolderIndex

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


class FolderDataset:
    """Images below ``path``; class names are sorted naturally (``img2`` before ``img10``) and counted from 0.

    Samples are ordered by class and then by path. The folder is looked through at the first access, and again after
    :meth:`close`. Names that begin with a dot are left out. Symbolic links to files are followed as long as they stay
    below ``path``, those to folders are not followed.

    Args:
        path: the folder.
        pattern: which files below it are meant, and which part of their paths is the class: ``{LABEL}`` stands for it,
            ``*`` for anything within one name, ``**`` for any number of folders. Separators are ``/``.
        extensions: how names of images end, in lower case.
    """

    def __init__(self, path: str | Path, pattern: str = "{LABEL}/**", extensions: Sequence[str] = EXTENSIONS) -> None:
        if isinstance(extensions, str) or not all(end.startswith(".") for end in extensions):
            raise ParameterError(f"extensions must be a list such as ['.jpg', '.png'], not {extensions!r}")
        self.path = Path(path)
        self.pattern = pattern
        self.extensions = tuple(end.lower() for end in extensions)
        self._regex = compile_pattern(pattern)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._found.files)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key`` (the path below the folder), ``image`` (the file's bytes), ``label`` (0..k-1),
        ``_label`` (the class name), ``path`` (of the file); ``image_index`` too where ``leaven data index`` has made
        one and the file is as it was. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the folder has no images, or the file cannot be read.
        """  # noqa: D205 - one sentence on what is returned
        file, found = self._file(index), self._found
        path = self.path / file.key
        image, status = _read(path)
        image_index = found.jpegs.index(file.key, status) if found.jpegs is not None else None
        sample = {
            "key": file.key,
            "image": image,
            "label": found.labels[file.label],
            "_label": file.label,
            "path": str(path),
        }
        return sample if image_index is None else {**sample, FIELD: image_index}

    def key(self, index: int) -> str:
        """Return the path of a sample below the folder, with ``/``; raises as :meth:`sample` does."""
        return self._file(index).key

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; a name's position is its label."""
        return tuple(self._found.labels)

    def close(self) -> None:
        """Forget which files there are; the next access looks again."""
        self.__dict__.pop("_found", None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_found"}

    @cached_property
    def _found(self) -> _Found:
        if not self.path.is_dir():
            raise DatasetError(f"{self.path}: {'is not a folder' if self.path.exists() else 'no such folder'}")
        files = [_File(key, label) for key, label in self._matching()]
        if not files:
            raise DatasetError(
                f"{self.path}: no images: nothing matches {self.pattern!r} with a name ending in "
                f"{', '.join(self.extensions)}; there is: {_contents(self.path)}"
            )
        labels = {label: n for n, label in enumerate(sorted({file.label for file in files}, key=natural))}
        files.sort(key=lambda file: (labels[file.label], natural(file.key)))
        return _Found(files, labels, FolderIndex.within(self.path))

    def _matching(self) -> Iterator[tuple[str, str]]:
        for key in _keys(self.path):
            match = self._regex.fullmatch(key) if key.lower().endswith(self.extensions) else None
            if match:
                yield key, match["LABEL"]

    def _file(self, index: int) -> _File:
        position, files = operator.index(index), self._found.files
        if not -len(files) <= position < len(files):
            raise IndexError(f"{self.path}: no sample {position}, there are {len(files)}")
        return files[position]


class _File(NamedTuple):
    key: str
    label: str


class _Found(NamedTuple):
    files: list[_File]
    labels: dict[str, int]
    jpegs: FolderIndex | None


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.readall(), os.fstat(file.fileno())
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror}") from error


def _keys(root: Path) -> Iterator[str]:
    """Yield the relative paths, with ``/``, of all files below ``root``.

    Raises:
        DatasetError: a symbolic link leads out of ``root``, or a folder cannot be read.
    """
    inside = os.path.realpath(root)
    for folder, subfolders, names in os.walk(root, onerror=_refuse):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        names = [name for name in names if not name.startswith(".")]
        for path in (os.path.join(folder, name) for name in (*subfolders, *names)):
            if os.path.islink(path) and os.path.commonpath([inside, os.path.realpath(path)]) != inside:
                raise DatasetError(f"{path}: a symbolic link out of {root}, to {os.path.realpath(path)}")
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in names)


def _refuse(error: OSError) -> None:
    raise DatasetError(f"{error.filename}: cannot be read: {error.strerror}") from error


def _contents(folder: Path) -> str:
    return listing((entry.name + "/" * entry.is_dir() for entry in folder.iterdir()), 8)
