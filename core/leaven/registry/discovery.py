"""Discovery: which plugins there are, and what those that are neither blocked nor broken declare."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import groupby
from types import FunctionType, ModuleType
from typing import NamedTuple

import pluggy

from leaven import hookspecs
from leaven.errors import BrokenPluginError, DeclarationError, UnknownName, listing, suggestion
from leaven.kinds import KINDS
from leaven.registry.blocks import Block
from leaven.registry.components import Component
from leaven.registry.files import load_file
from leaven.registry.offers import Offer
from leaven.registry.plugins import Plugin
from leaven.registry.sources import installed_plugins, normalized, requested_plugins

_OWN = "leaven"
_KIND_OF_HOOK = {kind.hook: kind.name for kind in KINDS.values()}


class BrokenPluginWarning(UserWarning):
    """A plugin could not be loaded and is off; everything else works."""


class Discovery(NamedTuple):
    """What was found: every plugin, and what those that are on offer, both ordered by name."""

    plugins: tuple[Plugin, ...]
    offers: tuple[Offer, ...]


def discover(
    blocks: Sequence[Block] = (), requests: Sequence[str] = (), builtin_only: bool = False, strict: bool = False
) -> Discovery:
    """Find all plugins, import the doors of those that are not blocked, and collect what they declare.

    Args:
        blocks: those of whole plugins apply here.
        requests: names of modules and paths of files that are plugins as well.
        builtin_only: block what other distributions installed, unless it is requested.
        strict: a broken plugin is an error, and not just off.

    Raises:
        UnknownName: a block or request names nothing that exists.
        BrokenPluginError: a plugin is broken, and was requested or ``strict`` is set.
    """
    candidates = requested_plugins(requests, installed_plugins())
    _check_names(blocks, candidates)
    marked = _duplicates_marked([_blocked(plugin, blocks, builtin_only) for plugin in candidates])
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins: list[Plugin] = []
    offers: list[Offer] = []
    for candidate in sorted(marked, key=lambda plugin: (plugin.name, plugin.distribution, plugin.module)):
        plugin, declared = _opened(manager, candidate)
        plugins.append(plugin)
        offers.extend(Offer(kind, component, plugin) for kind, component in declared)
    _report([plugin for plugin in plugins if plugin.state == "broken"], strict)
    return Discovery(tuple(plugins), tuple(sorted(offers, key=lambda o: (o.kind, o.name, o.plugin.name))))


def _check_names(blocks: Iterable[Block], plugins: Sequence[Plugin]) -> None:
    names = {plugin.name for plugin in plugins}
    for block in blocks:
        if block.plugin and block.plugin not in names:
            hint = suggestion(block.plugin, names) or f"; plugins: {listing(names)}"
            raise UnknownName(f"{block.origin}: no plugin {block.plugin!r}{hint}")


def _blocked(plugin: Plugin, blocks: Iterable[Block], builtin_only: bool) -> Plugin:
    origins = [block.origin for block in blocks if block.target == plugin.name]
    if builtin_only and not plugin.requested and normalized(plugin.distribution) != _OWN:
        origins.append("--builtin-only")
    return plugin._replace(state="blocked", blocked_by=origins[0], cause=None) if origins else plugin


def _duplicates_marked(plugins: Iterable[Plugin]) -> Iterator[Plugin]:
    """Break all that share a name and are not blocked: whichever was kept would depend on the order of the search."""
    for _, same in groupby(sorted(plugins, key=lambda plugin: plugin.name), key=lambda plugin: plugin.name):
        group = list(same)
        unblocked = [plugin for plugin in group if plugin.state != "blocked"]
        if len(unblocked) < 2:
            yield from group
            continue
        titles = " and ".join(sorted(plugin.title for plugin in unblocked))
        cause = DeclarationError(f"{titles} have the same name: rename or uninstall one of them")
        yield from (p if p.state == "blocked" else p._replace(state="broken", cause=cause) for p in group)


def _opened(manager: pluggy.PluginManager, plugin: Plugin) -> tuple[Plugin, list[tuple[str, Component]]]:
    """Import the plugin's door and collect its declarations; whatever goes wrong makes it a broken plugin."""
    if plugin.state != "on":
        return plugin, []
    start = time.perf_counter()
    try:
        door = _door(plugin)
        import_ms = (time.perf_counter() - start) * 1e3
        declared = list(_declarations(manager, door, plugin))
        _check_declared(declared, plugin)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a plugin must not end the program that looks for it
        return plugin._replace(state="broken", cause=error), []
    return plugin._replace(import_ms=import_ms), declared


def _door(plugin: Plugin) -> ModuleType:
    if plugin.file:
        return load_file(plugin.file)
    return import_module(plugin.module)


class _Functions:
    """The functions of a door.

    They are all that pluggy is shown: to look at every attribute of a module would import what it re-exports lazily.
    """

    def __init__(self, door: ModuleType) -> None:
        vars(self).update({name: value for name, value in vars(door).items() if isinstance(value, FunctionType)})


def _declarations(manager: pluggy.PluginManager, door: ModuleType, plugin: Plugin) -> Iterator[tuple[str, Component]]:
    functions = _Functions(door)
    _register(manager, functions, plugin.name)
    callers = manager.get_hookcallers(functions) or []
    if not callers:
        raise DeclarationError(f"{plugin.module} declares nothing: {_unmarked(functions)}")
    for caller in callers:
        for implementation in caller.get_hookimpls():
            if implementation.plugin is functions:
                declared = implementation.function()
                if not isinstance(declared, Iterable) or isinstance(declared, str):
                    raise DeclarationError(f"{caller.name}() returned {declared!r}: yield Component(...) declarations")
                yield from ((_KIND_OF_HOOK[caller.name], component) for component in declared)


def _register(manager: pluggy.PluginManager, functions: _Functions, name: str) -> None:
    try:
        manager.register(functions, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        callers = manager.get_hookcallers(functions) or []
        unknown = [caller.name for caller in callers if not caller.has_spec()]
        if manager.is_registered(functions):
            manager.unregister(functions)
        if unknown:
            hint = suggestion(unknown[0], _KIND_OF_HOOK) or f"; hooks: {listing(_KIND_OF_HOOK, 30)}"
            raise DeclarationError(f"no hook {unknown[0]!r}{hint}") from None
        raise DeclarationError(f"hooks take no arguments: {error}") from error


def _unmarked(functions: _Functions) -> str:
    hooks = [name for name in vars(functions) if name in _KIND_OF_HOOK]
    return f"{hooks[0]} is not marked with @hookimpl" if hooks else "it has no function that is marked with @hookimpl"


def _check_declared(declared: Sequence[tuple[str, Component]], plugin: Plugin) -> None:
    seen = set()
    for kind, component in declared:
        if not isinstance(component, Component):
            raise DeclarationError(f"{KINDS[kind].hook}() yielded {component!r}, which is not a Component")
        if (kind, component.name) in seen:
            raise DeclarationError(f"{kind}:{component.name} is declared twice")
        if component.replaces == plugin.name:
            raise DeclarationError(f"{kind}:{component.name} replaces itself: replaces= names another plugin")
        seen.add((kind, component.name))


def _report(broken: Sequence[Plugin], strict: bool) -> None:
    for plugin in broken:
        if strict or plugin.requested:
            raise BrokenPluginError(f"{plugin.title} is {plugin.reason}") from plugin.cause
    for plugin in broken:
        warnings.warn(f"{plugin.title} is off; {plugin.reason}", BrokenPluginWarning, stacklevel=2)
