"""Functions, methods and plain objects as plain data that another process can make the same of: no pickle.

Functions and classes go by reference (module and name, or the user's script), ``functools.partial`` and bound methods
by their parts, components by their recipe, and other objects by their class and their state, without a constructor.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from enum import Enum, EnumType
from functools import partial
from types import MethodType
from typing import Any

from leaven.errors import ProtocolError, RecipeError
from leaven.registry.files import MAIN, Source
from leaven.registry.imports import named_within
from leaven.registry.recipes import Recipe, is_remembered, recipe_of
from leaven.registry.references import Reference, reference_to

Write = Callable[[Any, str], Any]
"""Writes a part, given its path."""

TAGS = ("reference", "recipe", "member", "partial", "method", "record", "object")
"""What :func:`to_plain` may say that something is."""

_WAYS_OUT = "make it within the function, or use threads instead of processes (transport='threads', WorkerThreadPool)"


def to_plain(value: Any, where: str, write: Write) -> tuple[str, Any]:
    """Return what a value is, one of :data:`TAGS`, and its content as plain data.

    Args:
        value: a function, class, method, partial, enumeration member, named tuple, component, or object whose
            attributes can be written.
        where: its path, for errors.
        write: writes its parts.

    Raises:
        RecipeError: no other process could make the same; the text has the path of what is in the way.
    """
    if type(value) is partial:
        return "partial", [write(getattr(value, name), f"{where}.{name}") for name in ("func", "args", "keywords")]
    if isinstance(value, MethodType):
        return "method", _method(value, where, write)
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return "reference", _reference(value, where)
    if isinstance(value, Enum):
        return "member", [_reference(type(value), where), write(value.value, where)]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        parts = [write(part, f"{where}[{number}]") for number, part in enumerate(value)]
        return "record", [_reference(type(value), where), *parts]
    if is_remembered(value) or isinstance(getattr(type(value), "arguments", None), property):
        return "recipe", recipe_of(value, where).to_plain()
    return "object", _object(value, where, write)


def from_plain(tag: str, content: Any, read: Callable[[Any], Any], find: Callable[[Reference], Any]) -> Any:
    """Return what :func:`to_plain` wrote.

    Args:
        tag: what it is.
        content: its content.
        read: reads a part.
        find: finds a class or function.

    Raises:
        LeavenError: something cannot be found or made here.
        ProtocolError: the content is malformed.
    """
    if tag == "reference":
        return find(_reference_read(content))
    if tag == "recipe":
        return Recipe.from_plain(content).build()
    if tag == "partial":
        function, arguments, keywords = map(read, content)
        return partial(function, *arguments, **keywords)
    if tag == "method":
        return getattr(read(content[0]), content[1])
    return _made(tag, find(_reference_read(content[0])), [read(part) for part in content[1:]])


def found(reference: Reference) -> Any:
    """Return what a reference of the parent is to, imported where need be."""
    return reference.resolve()


def imported(reference: Reference) -> Any:
    """Return what a reference of a worker is to, among the modules that this process has imported.

    Raises:
        ProtocolError: there is no such module, or nothing of that name in it.
    """
    module, _, name = reference.target.partition(":")
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    own = module in (MAIN, "__main__") or (spec is not None and spec.name == module)
    try:
        return named_within(main if own else sys.modules[module], name)
    except (KeyError, AttributeError):
        raise ProtocolError(f"a worker answered with {reference.target}, which is not imported here") from None


def name_of(function: Any) -> str:
    """Return what a function is called in texts for people."""
    if isinstance(function, partial):
        return name_of(function.func)
    return str(getattr(function, "__qualname__", None) or type(function).__qualname__)


def _method(method: MethodType, where: str, write: Write) -> list[Any]:
    owner, name = method.__self__, method.__name__
    if getattr(owner, name, None) != method:
        raise RecipeError(f"{where}: {name} is another method of its object than this one; {_WAYS_OUT}")
    return [write(owner, owner.__qualname__ if isinstance(owner, type) else type(owner).__name__), name]


def _object(value: Any, where: str, write: Write) -> list[Any]:
    kind: Any = type(value)
    front = f"{where}: a {kind.__name__} cannot be handed to another process"
    if kind.__module__ == "builtins":
        raise RecipeError(f"{front}; {_WAYS_OUT}")
    if kind.__reduce_ex__ is not object.__reduce_ex__ or kind.__reduce__ is not object.__reduce__:
        raise RecipeError(f"{front}: it says itself how it is to be copied, which only pickle would obey; {_WAYS_OUT}")
    try:
        object.__new__(kind)  # what has more than Python attributes refuses this
        state = value.__getstate__()
    except TypeError as error:
        raise RecipeError(f"{front}: it is more than its attributes ({error}); {_WAYS_OUT}") from error
    reference = _reference(kind, where)
    if not hasattr(kind, "__setstate__") and isinstance(state, dict):
        return [reference, {name: write(part, f"{where}.{name}") for name, part in state.items()}]
    if not hasattr(kind, "__setstate__") and isinstance(state, tuple):
        inner, slots = ({} if part is None else part for part in state)
        return [reference, {name: write(part, f"{where}.{name}") for name, part in {**inner, **slots}.items()}]
    return [reference, write(state, where)]


def _made(tag: str, kind: Any, parts: Sequence[Any]) -> Any:
    """Make an enumeration's member, a named tuple, or an object, without calling a constructor."""
    if tag == "member" and isinstance(kind, EnumType):
        return kind(parts[0])
    if tag == "record" and isinstance(kind, type) and issubclass(kind, tuple):
        return tuple.__new__(kind, parts)
    if tag != "object" or not isinstance(kind, type) or len(parts) != 1:
        raise ProtocolError(f"malformed value: {kind!r} as {tag}")
    made: Any = object.__new__(kind)
    if hasattr(made, "__setstate__"):
        made.__setstate__(parts[0])
    else:
        for name, part in (parts[0] or {}).items():
            object.__setattr__(made, name, part)
    return made


def _reference(target: Any, where: str) -> list[Any]:
    reference = reference_to(target, where)
    return [reference.target, reference.source and list(reference.source)]


def _reference_read(content: Any) -> Reference:
    target, source = content
    return Reference(str(target), source and Source(*source))
