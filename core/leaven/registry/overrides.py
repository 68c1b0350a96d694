"""Overrides: single values of a configuration that are given on the command line as ``--set a.b=c``."""

from __future__ import annotations

from typing import Any, NamedTuple

from leaven.errors import ConfigError
from leaven.registry.toml import value_of


class Override(NamedTuple):
    """One value that takes the place of the file's; ``text`` is what was typed."""

    path: tuple[str, ...]
    value: Any

    text: str

    def __str__(self) -> str:
        return f"--set {self.text}"


def parse_override(text: str) -> Override:
    """Return what ``a.b=c`` means; the value is TOML where it can be read as such, else the text itself.

    Raises:
        ConfigError: there is no ``=``, or a part of the path is empty.
    """
    key, separator, value = text.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not separator or not all(path):
        raise ConfigError(f"--set {text}: expected KEY=VALUE, as in loader.nworkers=2")
    return Override(path, value_of(value.strip()), text)


def apply_override(table: dict[str, Any], override: Override) -> None:
    """Put the value into ``table``; missing tables on the way are made, entries of lists go by position.

    A component that the file names by a string becomes a table, so that a parameter can be given to it.

    Raises:
        ConfigError: a position is not one of the list, or the path leads through a value that is no table.
    """
    place: Any = table
    for depth, part in enumerate(override.path[:-1]):
        inner = _entry(place, part, override, depth)
        if isinstance(inner, str):
            inner = {"use": inner}
        elif inner is None:
            inner = {}
        place[_index(place, part, override, depth)] = inner
        place = inner
    place[_index(place, override.path[-1], override, len(override.path) - 1)] = override.value


def _entry(place: Any, part: str, override: Override, depth: int) -> Any:
    index = _index(place, part, override, depth)
    return place.get(index) if isinstance(place, dict) else place[index]


def _index(place: Any, part: str, override: Override, depth: int) -> str | int:
    before = ".".join(override.path[:depth])
    if isinstance(place, dict):
        return part
    if not isinstance(place, list):
        raise ConfigError(f"{override}: {before} is {place!r}, which has nothing within it to be set")
    if not part.isdecimal() or int(part) >= len(place):
        raise ConfigError(f"{override}: {before} is a list of {len(place)}, counted from 0: no entry {part!r}")
    return int(part)
