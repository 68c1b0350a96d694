"""ZipDataset: the images within a zip file, labelled by the names of their folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import DatasetError, listing, suggestion
from leaven_plugins.datasets.class_table import CLASSES, decode_classes
from leaven_plugins.datasets.image_files import EXTENSIONS, Choice, ImageFile, ImageFiles
from leaven_plugins.datasets.open_file import OpenFile
from leaven_plugins.datasets.opened_late import OpenedLate
from leaven_plugins.datasets.paths import path_of
from leaven_plugins.datasets.zip.archive import Archive
from leaven_plugins.datasets.zip.writer import write_zip


class ZipDataset(OpenedLate["_Opened"]):
    """Images in folders within a zip file, as :class:`FolderDataset` has them in a folder; nothing is unpacked to disk.

    Classes, order and parameters are those of a folder. The directory of the archive is read once, at the first access;
    threads may read at the same time. The checksum of each member is checked whenever it is read.

    Encrypted archives, links, names that lead out of the archive or are there twice are refused; so are members of more
    than 1 GiB, and those of more than 16 MiB that become more than 200 times as long as they are in the archive.

    Args:
        path: the zip file.
        pattern: which members are meant, and which part of their names is the class, such as ``*/{LABEL}/**`` where all
            of it lies in one more folder.
        extensions: how names of images end, in lower case.
        include: patterns without ``{LABEL}``; if there are any, only members that match one of them are meant.
        exclude: such patterns of members that are not meant.
        list: a text file beside it that lists members, and after a tab their labels.

    Raises:
        ParameterError: a pattern is malformed.
    """

    suffixes = (".zip",)

    def __init__(
        self,
        path: str | Path,
        pattern: str | Sequence[str] = "{LABEL}/**",
        extensions: Sequence[str] = EXTENSIONS,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        list: str | Path | None = None,  # noqa: A002 - as in a folder
    ) -> None:
        self.path = path_of(path)
        self._choice = Choice(pattern, extensions, include, exclude, list)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._files().files)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key`` (the name within the archive), ``image`` (the file's bytes), ``label``, ``_label``.

        Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            DatasetError: the archive has no images, or cannot be read.
            FormatError: it is damaged, or has members that may not be read.
        """
        archive, files = self._files()
        key, (label, name) = files.key(index), files.class_of(index)
        return {"key": key, "image": archive.read(key), "label": label, "_label": name}

    def key(self, index: int) -> str:
        """Return the name of a sample within the archive; raises as :meth:`sample` does."""
        return self._files().files.key(index)

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        """Return the label of a sample, without reading its image."""
        return self._files().files.class_of(index).label

    def getall_label(self) -> NDArray[np.int64]:
        """Return all labels, ``(n,)``, without reading images."""
        return self._files().files.labels()

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names; a name's position is its label."""
        return self._files().files.class_names

    @classmethod
    def write(cls, path: str | Path, samples: Iterable[Mapping[Any, Any] | bytes], *, overwrite: bool = False) -> int:
        """Write the images of samples to a zip file, and return their number; the same samples are the same bytes.

        Names, classes and fields are as for :meth:`FolderDataset.write`. Until it is complete, ``path`` does not
        change.

        Args:
            path: the zip file.
            samples: mappings, or packed messages. Taken one by one.
            overwrite: whether a file that exists is replaced.

        Raises:
            DatasetError: ``path`` exists, or cannot be written.
            FormatError: a sample has no class, something that is no image, or fields that no image file can hold.
        """
        return write_zip(path_of(path), samples, overwrite)

    def _open(self) -> _Opened:
        file = OpenFile(self.path)
        try:
            archive = Archive(file)
            return _Opened(archive, _arranged(archive, self._choice, self.path))
        except BaseException:
            file.close()
            raise


class _Opened(NamedTuple):
    archive: Archive
    files: ImageFiles

    def close(self) -> None:
        self.archive.close()


def _arranged(archive: Archive, choice: Choice, path: Path) -> ImageFiles:
    files = _chosen(archive, choice, path)
    stored = decode_classes(archive.read(CLASSES), f"{path}: {CLASSES}") if CLASSES in archive.names else None
    return choice.arranged(files, stored, str(path))


def _chosen(archive: Archive, choice: Choice, path: Path) -> list[ImageFile]:
    if choice.list is None:
        files = [*choice.among(name for name in archive.names if not _is_hidden(name))]
    else:
        files = choice.listed()
        _check_listed(files, archive, choice)
    if not files:
        raise DatasetError(f"{path}: no images: {choice}; there is: {listing(archive.names, 8)}")
    return files


def _check_listed(files: list[ImageFile], archive: Archive, choice: Choice) -> None:
    names = set(archive.names)
    for key, _ in files:
        if key not in names:
            raise DatasetError(f"{choice.list}: no member {key!r}{suggestion(key, names)}")


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
