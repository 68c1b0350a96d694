"""Names of image files that are written: one folder for each class, in it a file for each sample."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import FormatError, listing, printable
from leaven_plugins.datasets.archives import leads_out
from leaven_plugins.datasets.class_table import Class, ClassTable, counted
from leaven_plugins.datasets.image_files import EXTENSIONS
from leaven_plugins.datasets.image_types import as_png, is_suffix_of, suffix_of
from leaven_plugins.datasets.incoming import unpacked
from leaven_plugins.datasets.jpeg_index import FIELD
from leaven_plugins.datasets.unique_keys import UniqueKeys

_HELD = {"key", "image", "label", "_label", "path", FIELD}
_LONGEST = 200  # bytes of a name; file systems take 255, and an ending may follow
_DEEPEST = 8


class Placed(NamedTuple):
    """What is written of a sample: a path with ``/``, and the file's bytes."""

    path: str
    data: bytes


class Naming:
    """Gives each sample a path of its own, in the order in which they come, and collects their classes.

    Args:
        where: what is written, for texts of errors.
    """

    def __init__(self, where: Path) -> None:
        self._where = where
        self._keys = UniqueKeys(where)
        self._taken: set[str] = set()
        self._classes: dict[str, _Seen] = {}
        self.count = 0

    def place(self, sample: Mapping[Any, Any] | bytes) -> Placed:
        """Return where the next sample goes.

        Raises:
            DatasetError: a sample before has its key.
            FormatError: it has no key, no class, no image or one of an unknown type, or fields that no image file has;
                or its class was another one in a sample before.
        """
        try:
            fields = unpacked(sample)
            placed = self._place(fields)
        except FormatError as error:
            raise FormatError(f"{self._where}: sample {self.count}: {error}") from error
        self.count += 1
        return placed

    def table(self) -> ClassTable | None:
        """Return the classes where their order does not tell everything, else ``None``."""
        plain = counted(self._classes)
        table = {
            folder: Class(plain[folder].label if seen.label is None else seen.label, seen.name)
            for folder, seen in self._classes.items()
        }
        return None if table == plain else table

    def _place(self, fields: Mapping[Any, Any]) -> Placed:
        key = self._keys.add(fields)
        others = set(fields) - _HELD
        if others:
            names = listing(printable(str(name)) for name in others)
            raise FormatError(f"image files cannot hold {names}: fields=... (--fields) chooses what is written")
        folder = self._folder(fields)
        data, suffix = _image(fields.get("image"), key)
        return Placed(self._free(f"{folder}/{_below(key, folder)}", suffix), data)

    def _folder(self, fields: Mapping[Any, Any]) -> str:
        label, name = fields.get("label"), fields.get("_label")
        if label is not None and not _is_label(label):
            raise FormatError(f"its 'label' is no whole number of 64 bits, but {printable(repr(label), 60)}")
        if label is None and name is None:
            raise FormatError("has neither 'label' nor '_label': image files lie in folders named after their class")
        seen = _Seen(str(label if name is None else name), None if label is None else int(label), self.count)
        if any((one.label is None) != (label is None) for one in islice(self._classes.values(), 1)):
            raise FormatError("some samples have a 'label', and some have '_label' alone: those have no number")
        folder = _component(seen.name) or "_"
        known = self._classes.setdefault(folder, seen)
        if known[:2] != seen[:2]:
            before = f"is {printable(known.name)!r} with label {known.label} in sample {known.position}"
            raise FormatError(f"class {printable(seen.name)!r} with label {seen.label}: its folder {before}")
        return folder

    def _free(self, path: str, suffix: str) -> str:
        """Return the path with its ending, and with a number in between where it is taken."""
        stem = path.removesuffix(suffix)
        number, free = 0, stem + suffix
        while free in self._taken:
            number += 1
            free = f"{stem}~{number}{suffix}"
        self._taken.add(free)
        return free


def _is_label(label: Any) -> bool:
    whole = isinstance(label, (int, np.integer)) and not isinstance(label, bool)
    return whole and -(1 << 63) <= label < 1 << 63


class _Seen(NamedTuple):
    name: str
    label: int | None
    position: int


def _image(image: Any, key: str) -> tuple[bytes, str]:
    """Return the file, and how its name ends: as the key does where that suits it."""
    if image is None:
        raise FormatError("has no 'image'")
    data = bytes(image) if isinstance(image, (bytes, bytearray, memoryview)) else as_png(image)
    own = os.path.splitext(key)[1]
    known = suffix_of(data)
    if is_suffix_of(own, data) or (not known and own.lower() in EXTENSIONS):
        return data, own
    if not known:
        raise FormatError("its 'image' is no file of a type that is known: JPEG, PNG, WebP, GIF, BMP or TIFF")
    return data, known


def _below(key: str, folder: str) -> str:
    """Return the path of a key below its class' folder, which it may begin with already."""
    parts = [part for part in map(_component, key.split("/")) if part]
    parts = parts[1:] if len(parts) > 1 and parts[0] == folder else parts
    return "/".join(parts if len(parts) <= _DEEPEST else [_component("%2F".join(parts))]) or "_"


def _component(name: str) -> str:
    """Return a name that a file can have and that is not hidden; names that can be one already stay as they are."""
    safe = "".join(part if part.isprintable() and part not in "/\\" else _quoted(part) for part in name)
    safe = "%2E" + safe[1:] if safe.startswith(".") else safe
    safe = safe.replace(":", "%3A", 1) if leads_out(safe) else safe  # as "C:x" does on some systems
    encoded = safe.encode()
    if len(encoded) <= _LONGEST:
        return safe
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{encoded[: _LONGEST - 24].decode(errors='ignore')}~{digest}{os.path.splitext(safe)[1][:6]}"


def _quoted(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
