"""Recipes: what another process needs to make the same component, as plain data and without any registry.

A recipe names a class or factory by module and name, and holds its arguments; components among these are recipes again.

A component that has something to share with those made from its recipe, such as memory that did not exist yet when it
was made, has a property ``shared_arguments``: further arguments, as a mapping, that its recipe holds.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from leaven.errors import DeclarationError, RecipeError
from leaven.registry.files import Source
from leaven.registry.references import Reference, reference_to

_T = TypeVar("_T")
_MADE = "_leaven_made"
_TAG = "leaven:"
_PLAIN = (str, int, float, bool, bytes, type(None))
_DEEPEST = 64


@dataclass(frozen=True)
class Recipe:
    """How to make one component.

    Attributes:
        target: ``"module:Class"`` of the class or factory.
        params: its arguments: plain values, numpy arrays, references, and recipes of nested components.
        component: ``kind:plugin/name`` where it was made by name, or ``""``.
        version: version of the distribution that the plugin is from, or ``""``.
        source: the file of the target's module, where that is not one to import by name.
    """

    target: str
    params: Mapping[str, Any]
    component: str = ""
    version: str = ""
    source: Source | None = None

    def build(self) -> Any:
        """Import what is needed and make the component, with everything nested in it.

        Raises:
            RecipeError: a target cannot be imported here, or its file has changed.
            LeavenError: whatever a constructor raises.
        """
        target = Reference(self.target, self.source).resolve()
        params = {name: _built(value) for name, value in self.params.items()}
        return remember(target(**params), self.target, params, self.component, self.version)

    def to_plain(self) -> dict[str, Any]:
        """Return the recipe as dicts with string keys, lists, strings, numbers, bytes, ``None`` and numpy arrays."""
        return {
            "target": self.target,
            "params": {name: _encoded(value) for name, value in self.params.items()},
            "component": self.component,
            "version": self.version,
            "source": None if self.source is None else list(self.source),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> Recipe:
        """Return the recipe that :meth:`to_plain` gave.

        Raises:
            RecipeError: it is not one.
        """
        try:
            return _recipe_decoded(plain)
        except (TypeError, ValueError, LookupError, AttributeError, RecursionError) as error:
            raise RecipeError(f"malformed recipe: {type(error).__name__}: {error}") from error


def recipe_of(component: Any, where: str = "") -> Recipe:
    """Return the recipe of a component.

    Components have one that were made by :func:`leaven.create`; so have workers made by hand, and frozen dataclasses.

    Args:
        component: the component.
        where: path of the parameter that it is the value of, for errors.

    Raises:
        RecipeError: it has none, or an argument of it cannot be handed to another process; the text has the path of
            the argument and the ways out.
    """
    front = f"{where}: " if where else ""
    try:
        made = _made(component)
    except DeclarationError as error:
        raise RecipeError(f"{front}no other process can make the same: {error}") from error
    if made is None:
        raise RecipeError(
            f"{front}this {type(component).__name__} was made by hand, so that no other process can make the same: "
            "make it with leaven.create(...), or use transport='inline'"
        )
    target, source = reference_to(made.target, where)
    path = (where,) if where else ()
    arguments = {**made.arguments, **_shared_arguments(component)}
    params = {name: _portable(value, (*path, name)) for name, value in arguments.items()}
    return Recipe(target, params, made.component, made.version, source)


def remember(made: _T, target: Any, arguments: Mapping[str, Any], component: str = "", version: str = "") -> _T:
    """Note how ``made`` was made, where it has room for that, and return it."""
    with suppress(AttributeError, TypeError):  # a class with slots, or a builtin one
        object.__setattr__(made, _MADE, _Made(target, dict(arguments), component, version))
    return made


def is_remembered(component: Any) -> bool:
    """Return whether a component was made by :func:`leaven.create` or from a recipe."""
    return _MADE in getattr(component, "__dict__", {})


def arguments_of(component: Any) -> Mapping[str, Any] | None:
    """Return the arguments of a component that was made by hand and tells them, or ``None``."""
    if isinstance(getattr(type(component), "arguments", None), property):
        arguments: Mapping[str, Any] = component.arguments
        return arguments
    if dataclasses.is_dataclass(component) and not isinstance(component, type) and _is_frozen(component):
        return {field.name: getattr(component, field.name) for field in dataclasses.fields(component) if field.init}
    return None


class _Made(NamedTuple):
    target: Any
    arguments: Mapping[str, Any]
    component: str
    version: str


def _made(component: Any) -> _Made | None:
    if is_remembered(component):
        made: _Made = vars(component)[_MADE]
        return made
    arguments = arguments_of(component)
    if arguments is None:
        return None
    from leaven.registry.parameters import parameters_of

    parameters_of(type(component))  # raises where a call by names would not make the same again
    return _Made(type(component), arguments, "", "")


def _shared_arguments(component: Any) -> Mapping[str, Any]:
    if not isinstance(getattr(type(component), "shared_arguments", None), property):
        return {}  # looked up in the class: a view hands on what it does not have itself
    shared: Mapping[str, Any] = component.shared_arguments
    return shared


def _is_frozen(component: Any) -> bool:
    """Whether its fields still are what it was made with."""
    return bool(type(component).__dataclass_params__.frozen)


def _portable(value: Any, path: tuple[str, ...]) -> Any:
    """Return an argument with all components in it as recipes, and classes and functions as references."""
    where = ".".join(path)
    if len(path) > _DEEPEST:
        raise RecipeError(f"{'.'.join(path[:4])}...: nested more than {_DEEPEST} deep")
    if type(value) in (list, tuple):
        return type(value)(_portable(part, (*path, str(i))) for i, part in enumerate(value))
    if isinstance(value, Mapping):
        return {_portable(key, path): _portable(part, (*path, str(key))) for key, part in value.items()}
    if type(value) is int and not -(1 << 63) <= value < 1 << 64:
        raise RecipeError(f"{where}: {value} has more than 64 bits")
    if type(value) in _PLAIN or isinstance(value, (Recipe, Reference)):
        return value
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return reference_to(value, where)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        target, source = reference_to(type(value), where)
        return Recipe(target, _portable(value._asdict(), path), source=source)
    if _is_array(value, where):
        return value
    if type(value).__module__ == "builtins":
        raise RecipeError(f"{where}: no other process can be handed a value of type {type(value).__name__}")
    return _portable_dtype(value) or recipe_of(value, where)


def _is_array(value: Any, where: str) -> bool:
    """Whether it is a numpy array or scalar, which the message format carries."""
    numpy = sys.modules.get("numpy")  # where it was not imported there is none
    if numpy is None or not isinstance(value, (numpy.ndarray, numpy.generic)):
        return False
    if value.dtype.hasobject:
        raise RecipeError(f"{where}: an array of objects cannot be handed to another process")
    return True


def _portable_dtype(value: Any) -> Recipe | None:
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(value, numpy.dtype):
        return None
    return Recipe("numpy:dtype", {"dtype": value.str if value.names is None else value.descr})


def _built(value: Any) -> Any:
    if isinstance(value, Recipe):
        return value.build()
    if isinstance(value, Reference):
        return value.resolve()
    if type(value) in (list, tuple):
        return type(value)(_built(part) for part in value)
    if type(value) is dict:
        return {_built(key): _built(part) for key, part in value.items()}
    return value


def _encoded(value: Any) -> Any:
    if isinstance(value, Recipe):
        return {_TAG + "recipe": value.to_plain()}
    if isinstance(value, Reference):
        return {_TAG + "reference": [value.target, value.source and list(value.source)]}
    if type(value) is tuple:
        return {_TAG + "tuple": [_encoded(part) for part in value]}
    if type(value) is list:
        return [_encoded(part) for part in value]
    if type(value) is dict:
        if all(type(key) is str and not key.startswith(_TAG) for key in value):
            return {key: _encoded(part) for key, part in value.items()}
        return {_TAG + "pairs": [[_encoded(key), _encoded(part)] for key, part in value.items()]}
    return value


def _decoded(plain: Any) -> Any:
    if type(plain) is list:
        return [_decoded(part) for part in plain]
    if type(plain) is not dict:
        return plain
    tag = next((key for key in plain if key.startswith(_TAG)), "")
    if not tag:
        return {key: _decoded(part) for key, part in plain.items()}
    (content,) = plain.values()
    return _DECODERS[tag](content)


def _recipe_decoded(plain: Any) -> Recipe:
    params = {name: _decoded(value) for name, value in plain["params"].items()}
    source = _source_decoded(plain["source"])
    return Recipe(_text(plain["target"]), params, _text(plain["component"]), _text(plain["version"]), source)


def _source_decoded(plain: Any) -> Source | None:
    if plain is None:
        return None
    path, sha256 = plain
    return Source(_text(path), _text(sha256))


def _text(plain: Any) -> str:
    if type(plain) is not str:
        raise TypeError(f"{plain!r} instead of a string")
    return plain


_DECODERS: dict[str, Callable[[Any], Any]] = {
    _TAG + "recipe": _recipe_decoded,
    _TAG + "reference": lambda plain: Reference(_text(plain[0]), _source_decoded(plain[1])),
    _TAG + "tuple": lambda plain: tuple(_decoded(part) for part in plain),
    _TAG + "pairs": lambda plain: {_decoded(key): _decoded(part) for key, part in plain},
}
