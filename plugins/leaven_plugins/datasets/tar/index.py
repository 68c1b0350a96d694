"""The index of a tar file: which samples it has, and where their members are.

It is made from the heads of all members, or read from ``NAME.tar.index.json`` beside it, which further has a CRC-32 of
each member, and size and SHA-256 of the tar file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from leaven.errors import DatasetError, FormatError, printable
from leaven_plugins.datasets.open_file import OpenFile
from leaven_plugins.datasets.tar.members import Member, read_members

INDEX = ".index.json"
"""What is appended to the name of a tar file."""

_FORMAT = "leaven tar 1"


class Part(NamedTuple):
    """A member of a sample: what follows the first dot of its name, where its bytes are, and their CRC-32 if known."""

    ending: str
    offset: int
    size: int
    crc: int | None


class Group(NamedTuple):
    """The members of one sample."""

    key: str
    parts: list[Part]


def index_path(tar: Path) -> Path:
    """Return where the index of a tar file lies."""
    return tar.with_name(tar.name + INDEX)


def read_index(file: OpenFile) -> list[Group]:
    """Return the samples of an open tar file, in the order in which their first members come.

    Raises:
        DatasetError: the index beside it is that of another file.
        FormatError: the index or the tar file is damaged.
    """
    path = index_path(file.path)
    return _stored(path, file) if path.exists() else _grouped(read_members(file), file)


def encode_index(groups: Iterable[Group], size: int, sha256: str) -> bytes:
    """Return the content of the file for these samples."""
    samples = [[key, [list(part) for part in parts]] for key, parts in groups]
    about = {"format": _FORMAT, "size": size, "sha256": sha256, "samples": samples}
    return json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode()


def stored_sha256(index: Path) -> str:
    """Return what the tar file's SHA-256 is by its index; errors as for :func:`read_index`."""
    return str(_read(index).get("sha256"))


def split_name(name: str) -> tuple[str, str] | None:
    """Return key and ending of a member; ``None`` for one that belongs to no sample.

    Those are files without an ending, hidden ones, and what webdataset has about a whole file, as ``__index__.json``.
    """
    folder, slash, base = name.removeprefix("./").rpartition("/")
    stem, _, ending = base.partition(".")
    is_about_all = stem.startswith("__") and stem.endswith("__")
    return (folder + slash + stem, ending) if stem and ending and not is_about_all else None


def _grouped(members: Iterable[Member], file: OpenFile) -> list[Group]:
    found: dict[str, dict[str, Part]] = {}
    keys: dict[str, str] = {}
    for name, offset, size, key in members:
        split = split_name(name)
        if split is None:
            continue
        stem, ending = split
        parts = found.setdefault(stem, {})
        if ending in parts:
            raise FormatError(f"{file.path}: two members are called {printable(name)!r}, at {offset} and before")
        parts[ending] = Part(ending, offset, size, None)
        if key is not None:
            keys[stem] = key
    groups = [Group(keys.get(stem, stem), list(parts.values())) for stem, parts in found.items()]
    return _with_unique_keys(groups, file.path)


def _with_unique_keys(groups: list[Group], path: Path) -> list[Group]:
    seen: set[str] = set()
    for key, _ in groups:
        if key in seen:
            raise FormatError(f"{path}: two samples have the key {printable(key)!r}")
        seen.add(key)
    return groups


def _stored(path: Path, tar: OpenFile) -> list[Group]:
    about = _read(path)
    if about.get("format") != _FORMAT or not isinstance(about.get("samples"), list):
        known = printable(repr(about.get("format")), 60)
        raise FormatError(f"{path}: not an index of a tar file: its format is {known}, and should be {_FORMAT!r}")
    if about.get("size") != tar.size:
        raise DatasetError(
            f"{path}: is the index of a file of {about.get('size')} bytes, but {tar.path.name} has {tar.size}: cut "
            "off, or replaced by another; without the index, it is read as it is"
        )
    return _with_unique_keys([_group(entry, number, path, tar) for number, entry in enumerate(about["samples"])], path)


def _read(path: Path) -> dict[str, Any]:
    file = OpenFile(path)
    try:
        about = json.loads(file.read(file.size, 0))
    except DatasetError:
        raise
    except Exception as error:  # also RecursionError
        raise FormatError(f"{path}: not an index of a tar file: {printable(str(error), 200)}") from error
    finally:
        file.close()
    if not isinstance(about, dict):
        raise FormatError(f"{path}: not an index of a tar file, but a {type(about).__name__}")
    return about


def _group(entry: Any, number: int, path: Path, tar: OpenFile) -> Group:
    try:
        key, parts = entry
        group = Group(key, [Part(*part) for part in parts])
    except (TypeError, ValueError) as error:
        raise FormatError(f"{path}: sample {number} is no key with its members") from error
    for ending, offset, size, crc in group.parts:
        if not (isinstance(ending, str) and type(offset) is int and type(size) is int and type(crc) is int):
            raise FormatError(f"{path}: sample {number}: a member is no ending with three numbers")
        if offset < 0 or size < 0 or offset + size > tar.size:
            raise FormatError(f"{path}: sample {number}: bytes {offset} to {offset + size} of {tar.size}")
    if not isinstance(key, str) or len({part.ending for part in group.parts}) != len(group.parts):
        raise FormatError(f"{path}: sample {number}: no key, or two members with one ending")
    return group
