"""Configurations: TOML tables to components, with every mistake at once and the path of its table in each.

A program says by a schema what may stand where. Every table with ``use = "kind:name"`` is a component, its other keys
are the parameters, tables within it further components; where the position implies the kind, ``use = "name"`` or the
bare string ``"name"`` will do.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from leaven.errors import ConfigError, MissingPackageError, ParameterError, listing
from leaven.registry.blocks import blocks_from
from leaven.registry.overrides import Override, apply_override, parse_override
from leaven.registry.planning import Path, Planner, Problem, build
from leaven.registry.registry import Registry
from leaven.registry.schema import Schema, Slot, fill_defaults, misplaced, problem, value_at
from leaven.registry.sources import is_file
from leaven.registry.toml import read_toml

_OWN = "leaven"
_OWN_KEYS = ("block", "plugins")


class Config:
    """A configuration without mistakes in its names; made by :func:`load_config`.

    Attributes:
        plain: the whole of it as plain dicts and lists, with overrides applied and defaults of slots filled in.
        source: the file, or ``""``.
        registry: where its names were looked up: with the plugins and blocks of its own ``[leaven]`` table.
    """

    def __init__(
        self,
        plain: dict[str, Any],
        source: str,
        registry: Registry,
        overrides: Sequence[Override],
        defaults: Sequence[str],
        plans: Mapping[str, Any],
    ) -> None:
        self.plain = plain
        self.source = source
        self.registry = registry
        self._overrides = overrides
        self._defaults = defaults
        self._plans = plans

    def __contains__(self, path: str) -> bool:
        return self._plans[path] is not None

    def build(self, path: str, **given: Any) -> Any:
        """Build what stands in the slot ``path``: a component, a list of them, the result of a call, a plain value.

        Args:
            path: of a slot of the schema.
            **given: the parameters that the slot excludes.

        Returns:
            A new object each time, a list or dict of them where the slot says so; ``None`` where an optional slot is
            empty.

        Raises:
            ConfigError: a constructor refused a value; the text has the path of its table.
            MissingPackageError: a constructor needs a package that is not installed.
        """
        plan = self._plans[path]
        try:
            return _built(plan, given)
        except ParameterError as error:
            raise ConfigError(str(error), self.source) from error

    def where(self, path: str) -> str:
        """Return where the value at ``path`` came from: the override as it was typed, the file, or ``default``."""
        parts = tuple(path.split("."))
        for override in reversed(self._overrides):
            if override.path == parts[: len(override.path)]:
                return str(override)
        by_default = any(path == slot or path.startswith(f"{slot}.") for slot in self._defaults)
        if by_default or value_at(self.plain, parts) is None:
            return "default"
        return self.source or "text"


def load_config(
    source: str | os.PathLike[str] | Mapping[str, Any],
    schema: Schema,
    registry: Registry,
    overrides: Iterable[str] = (),
    file: str = "",
) -> Config:
    """Read a configuration and check every name in it, without building anything.

    Args:
        source: path of a TOML file, TOML text (with at least one line break), or its content as a mapping.
        schema: what may stand where.
        registry: where names are looked up; the configuration's ``[leaven]`` table extends it.
        overrides: values that win over the file's, as ``"loader.nworkers=2"``.
        file: the file that a mapping was read from.

    Raises:
        ConfigError: all that is wrong, each with its path.
        MissingPackageError: nothing is wrong, but a component needs a package that is not installed.
        UnknownName: a plugin that is to be used or blocked does not exist.
        BrokenPluginError: a plugin that is to be used is broken.
    """
    plain, file = (deepcopy(dict(source)), file) if isinstance(source, Mapping) else read_toml(source)
    applied, problems = _overridden(plain, overrides)
    registry = registry_for(plain, file, registry)
    registry.plugins()  # raises what is wrong with the plugins asked for: no single table's mistake
    if "plugins" in plain.get(_OWN, {}):
        plain[_OWN]["plugins"] = _plugins_wanted(plain[_OWN], file)
    problems += misplaced(plain, {**schema, _OWN: Slot()})
    defaults = fill_defaults(plain, schema)
    planner = Planner(registry.find)
    plans = {name: _planned(planner, slot, plain, tuple(name.split("."))) for name, slot in schema.items()}
    _raise_all([*problems, *planner.problems], file, applied)
    return Config(plain, file, registry, applied, defaults, plans)


def registry_for(table: Mapping[str, Any], source: str, registry: Registry) -> Registry:
    """Return ``registry`` with what a configuration's ``[leaven]`` table asks for: ``plugins`` and ``block``.

    Paths of plugins are relative to the configuration's file.

    Raises:
        ConfigError: the table has other keys, or something else than lists of strings.
    """
    own = table.get(_OWN, {})
    _raise_all(list(_misplaced_own(own)), source, ())
    plugins = _plugins_wanted(own, source)
    blocks = blocks_from(own.get("block", ()), f"[leaven] block in {source or 'the configuration'}")
    return registry.extended(blocks, plugins) if plugins or blocks else registry


def _plugins_wanted(own: Mapping[str, Any], source: str) -> list[str]:
    folder = os.path.dirname(os.path.abspath(source))
    return [os.path.join(folder, name) if is_file(name) else name for name in own.get("plugins", ())]


def _misplaced_own(own: Any) -> Iterator[Problem]:
    if not isinstance(own, Mapping):
        yield problem((_OWN,), f"a table is needed here, with {listing(_OWN_KEYS)}")
        return
    yield from (found._replace(path=(_OWN, *found.path)) for found in misplaced(own, dict.fromkeys(_OWN_KEYS, Slot())))
    for key in _OWN_KEYS:
        names = own.get(key, [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            yield problem((_OWN, key), f"a list of strings is needed here, and not {names!r}")


def _overridden(table: dict[str, Any], texts: Iterable[str]) -> tuple[list[Override], list[Problem]]:
    """Apply all overrides that can be applied; return these, and what is wrong with the others."""
    applied, problems = [], []
    for text in texts:
        try:
            override = parse_override(text)
            apply_override(table, override)
        except ConfigError as error:
            problems.append(problem((), str(error)))
        else:
            applied.append(override)
    return applied, problems


def _planned(planner: Planner, slot: Slot, table: Mapping[str, Any], path: Path) -> Any:
    value = value_at(table, path)
    if value is None:
        if slot.required:
            planner.problems.append(problem(path, f"missing; a {slot.kind or 'table'} is needed here"))
        return None
    if slot.named:
        return _planned_by_name(planner, slot, value, path)
    if not slot.many:
        return _planned_one(planner, slot, value, path)
    values = value if isinstance(value, (list, tuple)) else [value]
    return [_planned_one(planner, slot, part, (*path, str(i))) for i, part in enumerate(values)]


class _Named(dict[str, Any]):
    """Plans by names that the configuration has chosen."""


def _planned_by_name(planner: Planner, slot: Slot, value: Any, path: Path) -> Any:
    if not isinstance(value, Mapping):
        planner.problems.append(problem(path, f"a table is needed here, with a {slot.kind} for each name"))
        return None
    return _Named((name, _planned_one(planner, slot, part, (*path, name))) for name, part in value.items())


def _planned_one(planner: Planner, slot: Slot, value: Any, path: Path) -> Any:
    if slot.kind and isinstance(value, (str, Mapping)):
        return planner.plan(value, slot.kind, path=path, given=slot.exclude)
    if slot.signature and isinstance(value, Mapping):
        return planner.plan_call(slot.signature, value, slot.signature.__name__, path, slot.exclude)
    if slot.types and _is_of(value, slot.types):
        return value
    planner.problems.append(problem(path, f"{_wanted(slot)} is needed here, and not {value!r}"))
    return None


def _is_of(value: Any, types: tuple[type, ...]) -> bool:
    """Whether a value is of one of the types; a whole number will do for a float, but a bool not for a number."""
    return type(value) in types or (type(value) is int and float in types)


def _wanted(slot: Slot) -> str:
    if slot.kind:
        return f"a {slot.kind}, by name or as a table with 'use',"
    return "a table" if slot.signature else " or ".join(kind.__name__ for kind in slot.types)


def _built(plan: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(plan, list):
        return [build(part, given) for part in plan]
    if isinstance(plan, _Named):
        return {name: build(part, given) for name, part in plan.items()}
    return build(plan, given)


def _raise_all(problems: Sequence[Problem], source: str, overrides: Sequence[Override]) -> None:
    missing = [found.error for found in problems if isinstance(found.error, MissingPackageError)]
    texts = [_line(found, overrides) for found in problems if not isinstance(found.error, MissingPackageError)]
    if texts:
        raise ConfigError(texts, source)
    if missing:
        raise missing[0]


def _line(found: Problem, overrides: Sequence[Override]) -> str:
    typed = [str(override) for override in overrides if override.path == found.path[: len(override.path)]]
    front = f"{'.'.join(found.path)}: " if found.path else ""
    return f"{front}{found.text}{f' (from {typed[-1]})' if typed else ''}"
