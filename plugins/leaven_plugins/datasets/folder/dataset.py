"""FolderDataset: the images below a folder, labelled by the names of their folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError
from leaven_plugins.datasets.class_table import CLASSES, ClassTable, decode_classes
from leaven_plugins.datasets.folder.walk import check_files, contents, files_below
from leaven_plugins.datasets.folder.writer import write_folder
from leaven_plugins.datasets.image_files import EXTENSIONS, Choice, ImageFiles
from leaven_plugins.datasets.jpeg_index import FIELD, FolderIndex
from leaven_plugins.datasets.open_file import OpenFile
from leaven_plugins.datasets.paths import path_of


class FolderDataset:
    """Images below ``path``; class names are sorted naturally (``img2`` before ``img10``) and counted from 0.

    Samples are ordered by class and then by path. The folder is looked through at the first access, and again after
    :meth:`close`. Names that begin with a dot are left out. Symbolic links to files are followed as long as they stay
    below ``path``, those to folders are not followed.

    Args:
        path: the folder.
        pattern: which files below it are meant, and which part of their paths is the class: ``{LABEL}`` stands for it,
            ``*`` for anything within one name, ``**`` for any number of folders. Separators are ``/``. Of several, the
            first that matches counts.
        extensions: how names of images end, in lower case.
        include: patterns without ``{LABEL}``; if there are any, only files that match one of them are meant.
        exclude: such patterns of files that are not meant.
        list: a text file instead: each line has a path below the folder, and after a tab the label. Samples are in
            its order. Labels that are whole numbers, all of them, stand for themselves, others are names. Where a line
            has none, the pattern tells.

    Raises:
        ParameterError: a pattern is malformed.
    """

    suffixes: tuple[str, ...] = ()  # any folder is one

    def __init__(
        self,
        path: str | Path,
        pattern: str | Sequence[str] = "{LABEL}/**",
        extensions: Sequence[str] = EXTENSIONS,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        list: str | Path | None = None,  # noqa: A002 - as people call it
    ) -> None:
        self.path = path_of(path)
        self._choice = Choice(pattern, extensions, include, exclude, list)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._found.files)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key`` (the path below the folder), ``image`` (the file's bytes), ``label`` (0..k-1, or
        what table or list say), ``_label`` (the class name), ``path`` (of the file); ``image_index`` too where
        ``leaven data index`` has made one and the file is as it was. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the folder has no images, or the file cannot be read.
        """  # noqa: D205 - one sentence on what is returned
        files, jpegs = self._found
        key, (label, name) = files.key(index), files.class_of(index)
        path = self.path / key
        image, status = _read(path)
        image_index = jpegs.index(key, status) if jpegs is not None else None
        sample = {"key": key, "image": image, "label": label, "_label": name, "path": str(path)}
        return sample if image_index is None else {**sample, FIELD: image_index}

    def key(self, index: int) -> str:
        """Return the path of a sample below the folder, with ``/``; raises as :meth:`sample` does."""
        return self._found.files.key(index)

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        """Return the label of a sample, without reading its file."""
        return self._found.files.class_of(index).label

    def getall_label(self) -> NDArray[np.int64]:
        """Return all labels, ``(n,)``, without reading files."""
        return self._found.files.labels()

    def getitem_image(self, index: int, ctx: dict[str, Any] | None = None) -> bytes:
        """Return the file of a sample."""
        return _read(self.path / self.key(index))[0]

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; a name's position is its label."""
        return self._found.files.class_names

    def close(self) -> None:
        """Forget which files there are; the next access looks again."""
        self.__dict__.pop("_found", None)

    @classmethod
    def write(cls, path: str | Path, samples: Iterable[Mapping[Any, Any] | bytes], *, overwrite: bool = False) -> int:
        """Write the images of samples as files, in one folder for each class, and return their number.

        The folder is called as ``_label`` says, else as the number in ``label``; the file as the key, with the ending
        that the image's type has. Arrays (uint8 or uint16) become PNG files. What a folder's order does not tell about
        labels and names is kept in ``.leaven-classes.json``. Everything is written beside ``path`` first: until it is
        complete, ``path`` does not change.

        Args:
            path: the folder.
            samples: mappings, or packed messages, with a unique string under ``key``, ``image`` and ``label`` or
                ``_label``; ``path`` and ``image_index`` are left out. Taken one by one.
            overwrite: whether a folder that exists is replaced. One that has other things than images is not.

        Raises:
            DatasetError: ``path`` exists, or a file cannot be written.
            FormatError: a sample has no class, something that is no image, or fields that no folder can hold.
        """
        return write_folder(path_of(path), samples, overwrite)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_found"}

    @cached_property
    def _found(self) -> _Found:
        if not os.path.isdir(self.path):  # which has no errors, where that of a Path has for names that are too long
            raise DatasetError(f"{self.path}: {'is not a folder' if os.path.exists(self.path) else 'no such folder'}")
        files = [*self._choice.among(files_below(self.path))] if self._choice.list is None else self._choice.listed()
        if not files:
            raise DatasetError(f"{self.path}: no images: {self._choice}; there is: {contents(self.path)}")
        if self._choice.list is not None:
            check_files(self.path, [file.key for file in files])
        arranged = self._choice.arranged(files, _classes(self.path), str(self.path))
        return _Found(arranged, FolderIndex.within(self.path))


class _Found(NamedTuple):
    files: ImageFiles
    jpegs: FolderIndex | None


def _classes(root: Path) -> ClassTable | None:
    path = root / CLASSES
    return decode_classes(_read(path)[0], str(path)) if path.exists() else None


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    file = OpenFile(path)
    try:
        return file.content(), file.status
    finally:
        file.close()
