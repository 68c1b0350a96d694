"""Image files of a folder or an archive: which of them are samples, in which order, and of which class."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, ParameterError, printable
from leaven.registry.patterns import natural
from leaven_plugins.datasets.class_table import Class, ClassTable, names_of, numbered
from leaven_plugins.datasets.image_list import Entry, read_list
from leaven_plugins.datasets.label_pattern import compile_glob, compile_pattern
from leaven_plugins.datasets.positions import checked

EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")

_NUMBER = re.compile(r"-?[0-9]{1,18}")


class ImageFile(NamedTuple):
    """A file, by its path with ``/`` below the folder or in the archive, and the text that says what class it is of."""

    key: str
    folder: str


class ImageFiles:
    """The files that are samples, in their order.

    Args:
        where: what they belong to, for texts of errors.
        files: they themselves.
        classes: the classes of their folders.
    """

    def __init__(self, where: str, files: Sequence[ImageFile], classes: ClassTable) -> None:
        self._where = where
        self._files = files
        self._classes = classes

    def __len__(self) -> int:
        return len(self._files)

    def key(self, index: int) -> str:
        """Return the path of one; raises an ``IndexError`` where there is none."""
        return self._file(index).key

    def class_of(self, index: int) -> Class:
        """Return the class of one; raises an ``IndexError`` where there is none."""
        return self._classes[self._file(index).folder]

    def labels(self) -> NDArray[np.int64]:
        """Return the labels of all, ``(n,)``."""
        return np.fromiter((self._classes[file.folder].label for file in self._files), np.int64, len(self._files))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; a name's position is its label."""
        return names_of(self._classes)

    def _file(self, index: int) -> ImageFile:
        return self._files[checked(index, len(self._files), self._where)]


class Choice:
    """Which files are samples: by patterns of their paths, or by a list.

    Args:
        pattern: one or several, of which the first that matches counts.
        extensions: how names of images end.
        include: if there are any, a path must match one of these.
        exclude: a path must match none of these.
        listed: a text that lists files.

    Raises:
        ParameterError: a pattern is malformed.
    """

    def __init__(
        self,
        pattern: str | Sequence[str],
        extensions: Sequence[str],
        include: Sequence[str],
        exclude: Sequence[str],
        listed: str | Path | None,
    ) -> None:
        if isinstance(extensions, str) or not all(end.startswith(".") for end in extensions):
            raise ParameterError(f"extensions must be a list such as ['.jpg', '.png'], not {extensions!r}")
        self.list = None if listed is None else Path(listed)
        self._extensions = tuple(end.lower() for end in extensions)
        self._texts = [pattern] if isinstance(pattern, str) else list(pattern)
        self._patterns = [compile_pattern(text) for text in self._texts]
        self._include = [compile_glob(glob) for glob in _several(include, "include")]
        self._exclude = [compile_glob(glob) for glob in _several(exclude, "exclude")]

    def __str__(self) -> str:
        if self.list is not None:
            return f"no line of {self.list}"
        patterns = " or ".join(map(repr, self._texts))
        return f"nothing matches {patterns} with a name ending in {', '.join(self._extensions)}"

    def listed(self) -> list[ImageFile]:
        """Return the files of the list, in its order; they need not exist.

        Raises:
            DatasetError: it cannot be read.
            FormatError: it is malformed, or a file's class is neither in it nor in its path.
        """
        assert self.list is not None
        return [
            ImageFile(entry.path, self._folder(entry)) for entry in read_list(self.list) if self._is_meant(entry.path)
        ]

    def among(self, paths: Iterable[str]) -> Iterator[ImageFile]:
        """Yield those of the files that are images and match, in the same order."""
        for path in paths:
            folder = self._class_in(path) if path.lower().endswith(self._extensions) else None
            if folder is not None and self._is_meant(path):
                yield ImageFile(path, folder)

    def arranged(self, files: Sequence[ImageFile], stored: ClassTable | None, where: str) -> ImageFiles:
        """Return the files in order with their classes: by the ``stored`` table of these, if there is one.

        In a list, labels that are numbers all of them are what they say.

        Raises:
            DatasetError: a class is not in the table.
        """
        folders = dict.fromkeys(file.folder for file in files)
        if self.list is not None:
            if all(map(_NUMBER.fullmatch, folders)):
                return ImageFiles(where, files, {folder: Class(int(folder), folder) for folder in folders})
            return ImageFiles(where, files, numbered(folders, stored, where))
        classes = numbered(folders, stored, where)
        ordered = sorted(files, key=lambda file: (classes[file.folder].label, natural(file.key)))
        return ImageFiles(where, ordered, classes)

    def _folder(self, entry: Entry) -> str:
        if entry.label:
            return entry.label
        folder = self._class_in(entry.path)
        if folder is None:
            text = f"no label after a tab, and {printable(entry.path)!r} does not match {' or '.join(self._texts)}"
            raise FormatError(f"{self.list}: line {entry.line}: {text}")
        return folder

    def _class_in(self, path: str) -> str | None:
        return next((match["LABEL"] for pattern in self._patterns if (match := pattern.fullmatch(path))), None)

    def _is_meant(self, path: str) -> bool:
        if self._include and not any(glob.fullmatch(path) for glob in self._include):
            return False
        return not any(glob.fullmatch(path) for glob in self._exclude)


def _several(globs: Sequence[str], name: str) -> Sequence[str]:
    if isinstance(globs, str) or not all(isinstance(glob, str) for glob in globs):
        raise ParameterError(f"{name} must be a list such as ['**/*.png'], not {globs!r}")
    return globs
