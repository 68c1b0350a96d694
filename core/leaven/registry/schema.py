"""Schema: what may stand where in a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from leaven.errors import ParameterError, listing, suggestion
from leaven.registry.planning import Path, Problem


@dataclass(frozen=True)
class Slot:
    """What may stand at one place of a configuration: a component, the parameters of a call, or a plain value.

    Args:
        kind: a component of this kind.
        signature: a table of the parameters of this class or function.
        types: a plain value of one of these types.
        exclude: parameters that the program gives when it builds, and that the configuration cannot have.
        many: a list of them; a single one stands for a list of one.
        named: a table of them, by names that the configuration chooses.
        required: it must be there.
        default: what is there where the configuration has nothing.
    """

    kind: str = ""
    signature: Callable[..., Any] | None = None
    types: tuple[type, ...] = ()
    exclude: tuple[str, ...] = ()
    many: bool = False
    named: bool = False
    required: bool = False
    default: Any = None


Schema = Mapping[str, Slot]
"""What may stand where: dotted paths such as ``"data.train"``, and what they hold."""


def misplaced(table: Mapping[str, Any], schema: Schema, path: Path = ()) -> Iterator[Problem]:
    """Yield a problem for each key that leads to no slot, with the nearest one that does."""
    depth = len(path)
    slots = [parts for parts in map(_parts, schema) if parts[:depth] == path]
    known = {parts[depth] for parts in slots}
    for key, value in table.items():
        here = (*path, key)
        if here in slots:
            continue
        if key not in known:
            hint = suggestion(key, known) or f"; there are: {listing(known, 30)}"
            yield problem(here, f"unknown {'table' if isinstance(value, Mapping) else 'key'}{hint}")
        elif isinstance(value, Mapping):
            yield from misplaced(value, schema, here)
        else:
            inner = {parts[depth + 1] for parts in slots if parts[: depth + 1] == here}
            yield problem(here, f"a table is needed here, with {listing(inner, 30)}, and not {value!r}")


def fill_defaults(table: dict[str, Any], schema: Schema) -> list[str]:
    """Put the defaults of empty slots into ``table``; return the paths of these slots."""
    filled = []
    for path, slot in schema.items():
        *before, last = _parts(path)
        place: Any = table
        for part in before:
            place = place.setdefault(part, {}) if isinstance(place, dict) and slot.default is not None else {}
        if slot.default is not None and isinstance(place, dict) and last not in place:
            place[last] = list(slot.default) if isinstance(slot.default, tuple) else deepcopy(slot.default)
            filled.append(path)
    return filled


def value_at(table: Any, path: Path) -> Any:
    """Return what is at ``path``, or ``None``."""
    for part in path:
        if isinstance(table, list):
            table = table[int(part)] if part.isdecimal() and int(part) < len(table) else None
        else:
            table = table.get(part) if isinstance(table, Mapping) else None
    return table


def problem(path: Path, text: str) -> Problem:
    """Return a problem with the value at ``path``."""
    return Problem(path, text, ParameterError(text), path)


def _parts(path: str) -> Path:
    return tuple(path.split("."))
