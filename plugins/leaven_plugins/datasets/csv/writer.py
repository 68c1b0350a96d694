"""Writing a table: the files that it names into a folder beside it, then the table itself."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from leaven.errors import DatasetError, FormatError, ParameterError, listing
from leaven_plugins.datasets.columns import BYTES, NUMBER, Kind, cell, fields_of
from leaven_plugins.datasets.image_types import suffix_of
from leaven_plugins.datasets.incoming import unpacked
from leaven_plugins.datasets.staging import Staging
from leaven_plugins.datasets.targets import check_target, disk_errors_named
from leaven_plugins.datasets.unique_keys import UniqueKeys

_QUOTED = frozenset(',"\r\n')
_PER_FOLDER = 1000
_OURS = re.compile(r"[0-9]{6,}/[0-9]{9,}(_[0-9]+)?\.[a-z]+")


def write_table(path: Path, samples: Iterable[Mapping[Any, Any] | bytes], overwrite: bool, files: str) -> int:
    """Write samples to ``path``, and their files into the folder ``files`` beside it; return how many there were."""
    folder = files or f"{path.stem}_files"
    if folder in (".", "..", path.name) or "/" in folder or "," in folder or folder != folder.strip():
        raise ParameterError(f"files={files!r}: expected the name of a folder beside the table")
    _check_targets(path, folder, overwrite)
    with Staging(path) as staging:
        with disk_errors_named(path):
            table = open(staging.path / path.name, "w", encoding="utf-8", newline="")  # noqa: SIM115 - closed below
        writing = _Writing(path, table, staging.path, folder)
        try:
            for position, sample in enumerate(samples):
                writing.append(sample, position)
            writing.finish()
        finally:
            with disk_errors_named(path):  # a disk that is full is told by closing, too
                table.close()
        with disk_errors_named(path):
            os.sync()  # once for everything: files may be many
            _check_targets(path, folder, overwrite)
            path.unlink(missing_ok=True)  # goes first and comes last: an old table never names new files
            if path.with_name(folder).exists():
                os.rename(path.with_name(folder), staging.path / f"{folder}.former")
            staging.commit([*([folder] if writing.has_files else []), path.name])
    return writing.count


class _Writing:
    """A table while it is written."""

    def __init__(self, path: Path, table: IO[str], root: Path, folder: str) -> None:
        self.has_files = False
        self._path = path
        self._table = table
        self._root = root
        self._folder = folder
        self._header: list[str] = []
        self._keys = UniqueKeys(path)
        self._kinds: dict[str, Kind] = {}

    @property
    def count(self) -> int:
        return len(self._keys)

    def append(self, sample: Mapping[Any, Any] | bytes, position: int) -> None:
        try:
            fields = fields_of(unpacked(sample))
            self._keys.add(fields)
            self._write_row(fields, position)
        except FormatError as error:
            raise FormatError(f"{self._path}: sample {position}: {error}") from error

    def finish(self) -> None:
        """Write the header at least."""
        with disk_errors_named(self._path):
            if not self._header:
                self._table.write("key\n")
            self._table.flush()

    def _write_row(self, fields: Mapping[str, Any], position: int) -> None:
        if not self._header:
            # the image first: that is how a table of nebulae begins
            self._header = sorted(fields, key=lambda name: (name != "image", name != "key"))
            self._write_cells(self._header)
        if fields.keys() != set(self._header):
            raise FormatError(f"it has {listing(fields)}, the samples before have {listing(self._header)}")
        self._write_cells([self._text(name, fields[name], position) for name in self._header])

    def _write_cells(self, cells: Sequence[str]) -> None:
        quoted = ['"' + text.replace('"', '""') + '"' if _QUOTED & set(text) else text for text in cells]
        line = ",".join(quoted) or '""'
        with disk_errors_named(self._path):
            self._table.write(line + "\n")

    def _text(self, name: str, value: Any, position: int) -> str:
        try:
            made = cell(value)
            if made.kind is not None:
                self._check_kind(name, made.kind)
            if made.kind is not None and made.kind.content == BYTES:
                return self._name_files(name, made.items, made.kind.listed, position)
            if made.kind is not None and made.kind.listed:
                raise FormatError("a list of texts cannot be in one cell")
            return _plain(value, made.kind)
        except FormatError as error:
            raise FormatError(f"field {name!r}: {error}; fields=... (--fields) chooses what is written") from error

    def _check_kind(self, name: str, kind: Kind) -> None:
        known = self._kinds.setdefault(name, kind)
        if known != kind:
            raise FormatError(f"{kind}, where samples before have {known}")

    def _name_files(self, name: str, contents: Sequence[bytes], listed: bool, position: int) -> str:
        if name != "image":
            raise FormatError("bytes, which only the field 'image' can be in a table")
        stem = f"{self._folder}/{position // _PER_FOLDER:06}/{position:09}"
        names = [f"{stem}_{n}" if listed else stem for n in range(len(contents))]
        found = [name + (suffix_of(content) or ".bin") for name, content in zip(names, contents, strict=True)]
        with disk_errors_named(self._path):
            (self._root / stem).parent.mkdir(parents=True, exist_ok=True)
            for file, content in zip(found, contents, strict=True):
                (self._root / file).write_bytes(content)
        self.has_files = True
        return ",".join(found)


def _plain(value: Any, kind: Kind | None) -> str:
    """Return the text of a number, a text, or some numbers; floating point ones with all the digits that they need."""
    if kind is None:
        return ""
    if kind.content != NUMBER:
        return str(value)
    if kind.ndim > 1:
        raise FormatError(f"an array of {kind.ndim} dimensions cannot be in a cell; images may be encoded")
    return ",".join(_numbers(np.atleast_1d(np.asarray(value, kind.dtype))))


def _numbers(array: np.ndarray[Any, Any]) -> Iterator[str]:
    for number in array:
        yield str(bool(number)).lower() if array.dtype.kind == "b" else str(number)


def _check_targets(path: Path, folder: str, overwrite: bool) -> None:
    check_target(path, overwrite)
    files = path.with_name(folder)
    with disk_errors_named(files):
        exists = files.exists()
    if exists and not overwrite:
        raise DatasetError(f"{files}: exists already; overwrite=True (--overwrite) replaces it")
    for found in files.rglob("*") if files.is_dir() else [files] * exists:
        if not found.is_dir() and not _OURS.fullmatch(found.relative_to(files).as_posix()):
            raise DatasetError(f"{found}: was not written with a table, so {files} is not replaced: remove it yourself")
