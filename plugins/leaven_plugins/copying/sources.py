"""What a folder is copied from: the folder itself, an archive of it, or a folder of archives."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from leaven.errors import DatasetError, suggestion
from leaven_plugins.copying.marks import END, START


class Source(NamedTuple):
    """Where a folder comes from.

    Attributes:
        path: the folder or archive.
        format: ``"raw"``, ``"zip"`` or ``"zips"``.
        archives: the archives, each with the folder that it is unpacked into, relative to the destination.
        files: the files that are copied, relative to ``path``, with their sizes in bytes.
        folders: the folders, relative to ``path``.
    """

    path: Path
    format: str
    archives: list[tuple[Path, str]]
    files: list[tuple[str, int]]
    folders: list[str]


def find_source(path: Path) -> Source:
    """Return what there is at a path.

    Raises:
        DatasetError: there is nothing, or something that cannot be copied.
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        archive = path if path.suffix.lower() == ".zip" else path.with_name(f"{path.name}.zip")
        if archive.is_file():
            return Source(archive, "zip", [(archive, "")], [], [])
        names = os.listdir(path.parent) if path.parent.is_dir() else []
    except OSError as error:
        raise DatasetError(f"{error.filename or path}: cannot be read: {error.strerror}") from error
    if path.exists():
        raise DatasetError(f"{path}: is a file; folders are copied, and archives that end in .zip")
    hint = suggestion(path.name, names) if names else f", and no folder {path.parent}"
    raise DatasetError(f"{path}: no such folder, and no {archive.name} beside it{hint}")


def _of_folder(path: Path) -> Source:
    entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    packed = [entry.name for entry in entries if entry.name.lower().endswith(".zip") and entry.is_file()]
    is_packed = bool(packed) and 2 * len(packed) >= len(entries)
    files: list[tuple[str, int]] = []
    folders: list[str] = []
    for name, status in walked(path):
        if stat.S_ISDIR(status.st_mode):
            if name in (START, END):
                raise DatasetError(f"{path / name}: is a folder with the name of a mark of copies")
            folders.append(name)
        elif name not in (START, END) and not (is_packed and name in packed):  # the marks are the copy's own
            files.append((name, status.st_size))
    archives = [(path / name, _folder_of(name)) for name in packed] if is_packed else []
    _check_names(path, [folder for _, folder in archives if folder], [entry.name for entry in entries])
    return Source(path, "zips" if is_packed else "raw", archives, files, folders)


def walked(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all files and folders below ``root``, also those that links lead to; each folder before what is in it.

    Raises:
        DatasetError: there is something else, such as a pipe, or a link to a folder that it lies in.
    """
    yield from _walked(root, "", (os.path.realpath(root),))


def _walked(root: Path, below: str, above: tuple[str, ...]) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(root / below) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        name = os.path.join(below, entry.name)
        try:
            status = entry.stat()
        except OSError as error:
            raise DatasetError(f"{entry.path}: cannot be copied: {error.strerror}") from error
        if stat.S_ISREG(status.st_mode):
            yield name, status
        elif stat.S_ISDIR(status.st_mode):
            place = os.path.realpath(entry.path)
            if place in above:
                raise DatasetError(f"{entry.path}: is a link to a folder that it lies in")
            yield name, status
            yield from _walked(root, name, (*above, place))
        else:
            raise DatasetError(f"{entry.path}: is neither a file nor a folder")


def _folder_of(name: str) -> str:
    stem = name[: -len(".zip")]
    return "" if stem.startswith("batch_") and stem.removeprefix("batch_").isdecimal() else stem


def _check_names(path: Path, unpacked: list[str], names: list[str]) -> None:
    twice = sorted({name for name in unpacked if unpacked.count(name) > 1 or name in names or name in ("", ".", "..")})
    if twice:
        raise DatasetError(f"{path}: what {twice[0]}.zip is unpacked to has the name of something else in there")
