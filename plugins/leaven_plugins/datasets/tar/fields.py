"""Fields of samples and members of a tar file: what stands for what, in both directions.

What is decoded loses the ending that tells its type, as ``mask.npy`` becomes the field ``mask``; what stays bytes keeps
all of its name. So everything that is written is read as it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.image_types import suffix_of
from leaven_plugins.datasets.npy import decode_npy, encode_npy

IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")
"""How members end that are images."""

_FORBIDDEN = ("pkl", "pickle", "pyd")
_ENDING = re.compile(r"[^./\\\0-\x1f\x7f-\x9f\ud800-\udfff][^/\\\0-\x1f\x7f-\x9f\ud800-\udfff]*")
_WHOLE = re.compile(rb"\s*[+-]?[0-9]{1,19}\s*")


class Field(NamedTuple):
    """A field of a sample: its name, and what makes its value of a member's bytes."""

    name: str
    read: Callable[[bytes], Any]


def field_of(ending: str) -> Field:
    """Return which field a member is, by what follows the first dot of its name.

    Raises:
        FormatError: it is a pickle.
    """
    stem, dot, kind = ending.rpartition(".")
    kind = kind.lower()
    if kind in IMAGES:
        return Field(ending if dot else "image", bytes)
    if kind in _FORBIDDEN:
        raise FormatError("is a pickle: reading it would run whatever it says, so it is refused")
    if kind in _READERS:
        return Field(stem if dot else _NAMES.get(kind, kind), _READERS[kind])
    return Field(ending, bytes)


def decode_fields(key: str, members: Mapping[str, bytes]) -> dict[str, Any]:
    """Return a sample, from the endings of its members and their bytes.

    The first image is ``image``, another one goes by its ending. The fields of a map in ``json`` are added where there
    are none of these names.

    Raises:
        FormatError: a member is not what its ending says; the text begins with the ending.
    """
    sample: dict[str, Any] = {"key": key}
    added: Mapping[str, Any] = {}
    for ending, data in members.items():
        name, value = _decoded(ending, data)
        if ending.lower() == "json" and isinstance(value, dict):
            added = {**value, **added}
        elif (free := ending if name in sample else name) in sample:
            raise FormatError(f"{printable(ending)}: the sample has a field of this name already")
        else:
            sample[free] = value
    return {**sample, **{name: value for name, value in added.items() if name not in sample}}


def encode_fields(sample: Mapping[Any, Any]) -> dict[str, bytes]:
    """Return the members of a sample by their endings: the image first, then the label.

    Raises:
        FormatError: a field cannot be held; the text names it.
    """
    members: dict[str, bytes] = {}
    plain: dict[str, Any] = {}
    fields = {name: value for name, value in sample.items() if name not in ("key", "path")}
    for name in sorted(fields, key=lambda name: ("image", "label").index(name) if name in ("image", "label") else 2):
        try:
            member = _member(name, fields[name], members)
            if member is None:
                plain[name] = _plain(fields[name])
            else:
                members[member[0]] = member[1]
        except FormatError as error:
            advice = "fields=... (--fields) chooses what is written"
            raise FormatError(f"field {printable(repr(name), 60)}: {error}; {advice}") from error
    if plain or not members:
        members["json"] = json.dumps(plain, separators=(",", ":")).encode()
    return members


def _decoded(ending: str, data: bytes) -> tuple[str, Any]:
    try:
        field = field_of(ending)
        return field.name, field.read(data)
    except FormatError as error:
        raise FormatError(f"{printable(ending)}: {error}") from error


def _member(name: Any, value: Any, before: Mapping[str, bytes]) -> tuple[str, bytes] | None:
    """Return ending and bytes of the member that holds a field, or ``None`` where it goes into the map of ``json``."""
    if not isinstance(name, str):
        raise FormatError("a name must be a string")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes_member(name, bytes(value), before)
    if isinstance(value, np.ndarray):
        return _checked(f"{name}.npy", name, before), encode_npy(value)
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    return ("cls", str(int(value)).encode()) if name == "label" and whole and abs(int(value)) < 10**18 else None


def _bytes_member(name: str, data: bytes, before: Mapping[str, bytes]) -> tuple[str, bytes]:
    if name == "image":
        return suffix_of(data)[1:] or name, data
    if name in IMAGES and name not in before and not set(before).isdisjoint(IMAGES):
        return name, data
    return _checked(name, name, before), data


def _checked(ending: str, name: str, before: Mapping[str, bytes]) -> str:
    """Return the ending, if a member with it is read as this field."""
    if not _ENDING.fullmatch(ending):
        raise FormatError("that is no ending of a file's name")
    held = field_of(ending)
    if held.name != name or ending in before or (held.read is not bytes) != ending.endswith(".npy"):
        raise FormatError(f"a member with the ending {printable(ending)!r} would be read as something else")
    return ending


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; numpy's scalars become numbers of Python."""
    if isinstance(value, np.generic) and isinstance(value.item(), (bool, int, float, str)):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _plain(part) for key, part in value.items()}
    raise FormatError(f"{type(value).__name__} {printable(repr(value), 60)} cannot be written as JSON")


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except Exception as error:  # also RecursionError
        raise FormatError(f"not JSON: {printable(str(error) or type(error).__name__)}") from error


def _whole(data: bytes) -> int:
    if not _WHOLE.fullmatch(data):
        raise FormatError(f"not a whole number: {printable(repr(data[:40]))}")
    return int(data)


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start} is not UTF-8") from error


def _npy(data: bytes) -> Any:
    array = decode_npy(data)
    return array if array.ndim else array[()]


_READERS: dict[str, Callable[[bytes], Any]] = {"cls": _whole, "json": _json, "txt": _utf8, "npy": _npy}
_NAMES = {"cls": "label"}
