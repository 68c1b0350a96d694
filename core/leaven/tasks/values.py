"""Values that cross between processes, as plain data: numbers, texts, containers, arrays, functions and plain objects.

Nothing is pickled: reading calls nothing but a class's own ``__setstate__``, and the constructors that a recipe names.
What a worker answers is read without importing anything, and without recipes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from leaven.errors import LeavenError, ProtocolError, RecipeError, printable
from leaven.stream import wire
from leaven.stream.dtypes import dtype_from_plain, dtype_to_plain
from leaven.stream.messages import LIMIT
from leaven.tasks import functions
from leaven.tasks.arrays import array_from_plain, array_to_plain
from leaven.tasks.constants import LARGE, SharedConstant, Sharing, constant_from_plain, shared_array_of

MOST = LIMIT - (1 << 20)
"""Bytes that a packed value may have: a message has something around it."""

_TAG = "leaven:"
_DEEPEST = 64
_AS_IS = {type(None), bool, float, str, bytes}
_CONTAINERS: tuple[type, ...] = (tuple, set, frozenset)
_RANGES: tuple[type, ...] = (range, slice)


def pack(parts: Mapping[str, Any], sharing: Sharing | None = None) -> bytes:
    """Return named values as bytes.

    Args:
        parts: plain data, containers, numpy arrays and scalars, paths, enumeration members, functions, classes,
            methods, ``functools.partial``, components, and objects of importable classes whose attributes are such
            again.
        sharing: takes large arrays; ``None`` where they travel by value.

    Raises:
        RecipeError: something in it cannot be handed to another process; the text has its path and the ways out.
    """
    names = ", ".join(parts)
    try:
        data = wire.pack({name: _Writer(sharing).plain(value, name) for name, value in parts.items()})
    except ProtocolError as error:
        raise RecipeError(str(error)) from error
    if len(data) > MOST:
        raise RecipeError(
            f"{names}: {len(data) / 1e6:.0f} MB are too much for a message; take smaller parts, or shared memory"
        )
    return data


def unpack(data: bytes, answer: bool = False) -> dict[str, Any]:
    """Return the values in ``data``.

    Args:
        data: from :func:`pack` in another process.
        answer: whether a worker wrote it.

    Raises:
        ProtocolError: it is malformed.
        LeavenError: something that it refers to cannot be found or made here.
    """
    reader = _Reader(answer)
    try:
        return {name: reader.value(plain) for name, plain in wire.unpack(data, LIMIT).items()}
    except LeavenError:
        raise
    except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
        raise ProtocolError(f"malformed value: {type(error).__name__}: {error}") from error


def _tagged(tag: str, content: Any) -> dict[str, Any]:
    return {_TAG + tag: content}


class _Writer:
    def __init__(self, sharing: Sharing | None) -> None:
        self._sharing = sharing
        self._depth = 0

    def plain(self, value: Any, where: str) -> Any:
        """Return the value as plain data; ``where`` is its path."""
        if self._depth > _DEEPEST:
            raise RecipeError(f"{printable(where, 80)}: nested more than {_DEEPEST} deep, or within itself")
        self._depth += 1
        try:
            return self._plain(value, where)
        finally:
            self._depth -= 1

    def _plain(self, value: Any, where: str) -> Any:
        kind = type(value)
        if kind in _AS_IS:
            return value
        if kind is int:
            return value if _fits(value) else _tagged("int", hex(value))
        if kind is list:
            return self._list(value, where)
        if kind is dict:
            return self._dict(value, where)
        if kind in _CONTAINERS:
            return _tagged(kind.__name__, self._list(list(value), where))
        if kind is complex:
            return _tagged("complex", [value.real, value.imag])
        if kind in _RANGES:
            return _tagged(kind.__name__, [self.plain(part, where) for part in (value.start, value.stop, value.step)])
        if isinstance(value, (np.ndarray, np.generic, np.dtype)):
            return self._numpy(value, where)
        if isinstance(value, PurePath):
            return _tagged("path", str(value))
        if isinstance(value, SharedConstant):
            return _tagged("constant", value.to_plain())
        return _tagged(*functions.to_plain(value, where, self.plain))

    def _list(self, value: list[Any], where: str) -> list[Any]:
        if _AS_IS.issuperset(map(type, value)):
            return value
        return [self.plain(part, f"{where}[{number}]") for number, part in enumerate(value)]

    def _dict(self, value: dict[Any, Any], where: str) -> dict[str, Any]:
        parts = [(key, self.plain(part, f"{where}[{key!r}]")) for key, part in value.items()]
        if all(type(key) is str and not key.startswith(_TAG) for key in value):
            return dict(parts)
        return _tagged("dict", [[self.plain(key, f"a key of {where}"), part] for key, part in parts])

    def _numpy(self, value: Any, where: str) -> dict[str, Any]:
        if isinstance(value, np.dtype):
            return _tagged("dtype", dtype_to_plain(value))
        if value.dtype.hasobject:
            raise RecipeError(f"{where}: an array of objects cannot be handed to another process")
        if isinstance(value, np.generic):
            return _tagged("scalar", array_to_plain(np.asarray(value)))
        if type(value) not in (np.ndarray, np.memmap):
            raise RecipeError(f"{where}: a {type(value).__name__} cannot be handed over, only plain arrays can")
        if self._sharing is not None and value.nbytes >= LARGE:
            return _tagged("shared", self._sharing.share(value))
        return _tagged("array", array_to_plain(value))


class _Reader:
    def __init__(self, answer: bool) -> None:
        self._find = functions.imported if answer else functions.found
        self._answer = answer

    def value(self, plain: Any) -> Any:
        """Return the value that ``plain`` stands for."""
        if type(plain) is list:
            return [self.value(part) for part in plain]
        if type(plain) is not dict:
            return plain
        tag = next((key for key in plain if key.startswith(_TAG)), "").removeprefix(_TAG)
        if not tag:
            return {key: self.value(part) for key, part in plain.items()}
        (content,) = plain.values()
        return self._tagged(tag, content)

    def _tagged(self, tag: str, content: Any) -> Any:
        if self._answer and tag in _PARENTS:
            raise ProtocolError(f"malformed value: a worker answered with a {tag}")
        if tag in functions.TAGS:
            return functions.from_plain(tag, content, self.value, self._find)
        if tag == "dict":
            return {self.value(key): self.value(part) for key, part in content}
        kind = _MADE_OF_PARTS.get(tag)
        if kind is not None:
            parts = map(self.value, content)
            return kind(*parts) if kind in _RANGES else kind(parts)
        return _LEAVES[tag](content)


_PARENTS = ("shared", "constant", "recipe")  # what only the parent writes
_MADE_OF_PARTS: dict[str, Callable[..., Any]] = {kind.__name__: kind for kind in (*_CONTAINERS, *_RANGES)}
_LEAVES: dict[str, Callable[[Any], Any]] = {
    "int": lambda text: int(text, 16),
    "complex": lambda parts: complex(*parts),
    "path": Path,
    "dtype": dtype_from_plain,
    "scalar": lambda parts: array_from_plain(parts)[()],
    "array": array_from_plain,
    "shared": shared_array_of,
    "constant": lambda plain: constant_from_plain(plain, lambda data: unpack(data)["constant"]),
}


def _fits(value: int) -> bool:
    return -(1 << 63) <= value < 1 << 64
