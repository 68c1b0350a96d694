"""Properties: any place that holds a number and can be given another one, found by its name."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Protocol

from leaven.errors import ParameterError, listing, suggestion


class Property(Protocol):
    """A place that holds a number, or a list of numbers."""

    def base(self) -> Any:
        """Return what it held at first."""

    def set(self, value: Any) -> None:
        """Let it hold ``value``."""


def property_of(target: Any, name: str) -> Property:
    """Return a property of ``target``.

    Args:
        target: an optimizer, of which ``name`` is a value of its parameter groups (``"weight_decay"``); an object with
            ``get_value`` and ``set_value``, which needs no name; one with a mapping ``nontrainable_params`` that has
            ``name``; a mapping; or any object.
        name: of an entry or attribute; dots lead into what is found there, as in ``"layers.3.p"``.

    Raises:
        ParameterError: there is no such property; the text has the nearest name, and all that there are.
    """
    if hasattr(target, "param_groups"):
        return GroupValue(target, name)
    if not name and _is_variable(target):
        return Variable(target)
    if name in getattr(target, "nontrainable_params", ()):
        return _place(target.nontrainable_params, name)
    *path, last = name.split(".")
    for part in path:
        target = _member(target, part, name)
    return _place(target, last, name)


class GroupValue:
    """A value of an optimizer's parameter groups: a list with one entry for each group.

    What it held at first is kept in the groups as ``initial_NAME``, where torch's schedulers look for it, too: it is
    part of the optimizer's state.
    """

    def __init__(self, optimizer: Any, name: str) -> None:
        groups = optimizer.param_groups
        known = {key for group in groups for key in group} - {"params", "param_names"}
        if any(name not in group for group in groups) or name not in known:
            raise ParameterError(_missing("the optimizer's parameter groups have", name, known))
        self._optimizer = optimizer  # and not its groups: to load a state makes new ones
        self._name = name

    def base(self) -> list[Any]:  # noqa: D102 - as in the protocol
        return [group.setdefault(f"initial_{self._name}", group[self._name]) for group in self._groups()]

    def set(self, value: Sequence[Any]) -> None:  # noqa: D102 - as in the protocol
        for group, part in zip(self._groups(), value, strict=True):
            group[self._name] = part

    def _groups(self) -> Sequence[MutableMapping[str, Any]]:
        groups: Sequence[MutableMapping[str, Any]] = self._optimizer.param_groups
        return groups


class Variable:
    """An object with ``get_value`` and ``set_value``."""

    def __init__(self, variable: Any) -> None:
        self._variable = variable
        self._base = variable.get_value()

    def base(self) -> Any:  # noqa: D102 - as in the protocol
        return self._base

    def set(self, value: Any) -> None:  # noqa: D102 - as in the protocol
        self._variable.set_value(value)


class Entry:
    """An entry of a mapping or list."""

    def __init__(self, table: Any, key: Any) -> None:
        self._table = table
        self._key = key
        self._base = table[key]

    def base(self) -> Any:  # noqa: D102 - as in the protocol
        return self._base

    def set(self, value: Any) -> None:  # noqa: D102 - as in the protocol
        self._table[self._key] = value


class Attribute:
    """An attribute of an object."""

    def __init__(self, owner: Any, name: str) -> None:
        self._owner = owner
        self._name = name
        self._base = getattr(owner, name)

    def base(self) -> Any:  # noqa: D102 - as in the protocol
        return self._base

    def set(self, value: Any) -> None:  # noqa: D102 - as in the protocol
        setattr(self._owner, self._name, value)


def _place(owner: Any, part: str, name: str = "") -> Property:
    found = _member(owner, part, name or part)
    if _is_variable(found):
        return Variable(found)
    key = _key(owner, part)
    return Attribute(owner, part) if key is None else Entry(owner, key)


def _member(owner: Any, part: str, name: str) -> Any:
    """Return what stands at ``part`` of a mapping, list or object; ``name`` is the whole path, for errors."""
    key = _key(owner, part)
    if key is not None:
        return owner[key]
    if isinstance(owner, Mapping) or not part or not hasattr(owner, part):
        known = owner if isinstance(owner, Mapping) else [known for known in dir(owner) if not known.startswith("_")]
        raise ParameterError(_missing(f"property {name!r}: {type(owner).__name__} has", part, map(str, known)))
    return getattr(owner, part)


def _key(owner: Any, part: str) -> Any:
    """Return the key or position in a mapping or list that ``part`` means, or ``None``."""
    if isinstance(owner, Mapping):
        return part if part in owner else None
    if isinstance(owner, (list, tuple)) and part.isdecimal() and int(part) < len(owner):
        return int(part)
    return None


def _missing(front: str, name: str, known: Any) -> str:
    names = sorted(known)
    return f"{front} no {name!r}{suggestion(name, names)}; there are: {listing(names)}"


def _is_variable(target: Any) -> bool:
    return hasattr(target, "get_value") and hasattr(target, "set_value")
