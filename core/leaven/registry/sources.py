"""Where plugins come from: entry points of what is installed, files, modules that were named. Nothing is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from leaven.errors import DeclarationError, UnknownName, listing, suggestion
from leaven.registry.files import file_module_name
from leaven.registry.plugins import Plugin

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "leaven"
"""The entry-point group; each entry point names one plugin and the module that is its door."""


def installed_plugins() -> list[Plugin]:
    """Return the plugins of everything that is installed, by name. Of a distribution found twice, the first counts."""
    from importlib.metadata import distributions  # 19 ms, for those who look up a name

    plugins: list[Plugin] = []
    seen: set[str] = set()
    for distribution in distributions():
        if not _declares_plugins(distribution):
            continue
        headers = _headers(distribution)
        name = normalized(headers.get("Name", ""))
        if name not in seen:
            seen.add(name)
            plugins.extend(_plugins_of(distribution, headers))
    return sorted(plugins, key=lambda plugin: (plugin.name, plugin.distribution))


def requested_plugins(requests: Sequence[str], installed: Sequence[Plugin]) -> list[Plugin]:
    """Return ``installed`` and those that ``requests`` add: resolved paths of Python files, or import names of modules.

    The name of an installed plugin adds nothing, but marks it as one that was asked for.

    Raises:
        UnknownName: there is no such plugin or module.
    """
    names = set(requests)
    plugins = [plugin._replace(requested=True) if plugin.name in names else plugin for plugin in installed]
    known = {plugin.name for plugin in plugins}
    for request in requests:
        if request in known:
            continue
        plugin = _of_file(request) if is_file(request) else _of_module(request, known)
        if plugin not in plugins:
            plugins.append(plugin)
    return plugins


def is_file(request: str) -> bool:
    """Return whether a plugin is asked for by the path of its file and not by its name."""
    return request.endswith(".py") or "/" in request or os.sep in request


def normalized(name: str) -> str:
    """Return a distribution's name in the form in which two spellings of it are equal."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _declares_plugins(distribution: Distribution) -> bool:
    try:
        return f"[{GROUP}]" in (distribution.read_text("entry_points.txt") or "")
    except (OSError, UnicodeDecodeError):  # somebody else's damaged metadata: nothing of ours
        return False


def _plugins_of(distribution: Distribution, headers: dict[str, str]) -> Iterator[Plugin]:
    described = Plugin(
        "",
        "",
        distribution=headers.get("Name", "unnamed"),
        version=headers.get("Version", ""),
        licence=headers.get("License-Expression", headers.get("License", "")),
    )
    try:
        entry_points = [point for point in distribution.entry_points if point.group == GROUP]
    except Exception as error:  # whatever a malformed entry_points.txt makes of the parser
        name = normalized(described.distribution).replace("-", "_")
        yield described._replace(name=name, state="broken", cause=error)
        return
    for point in entry_points:
        yield _of_entry_point(described, point)


def _of_entry_point(described: Plugin, point: EntryPoint) -> Plugin:
    if re.fullmatch(r"\w+(\.\w+)*", point.value):
        return described._replace(name=point.name, module=point.value)
    cause = DeclarationError(f"entry point {point.name} = {point.value!r} is not the name of a module")
    return described._replace(name=point.name, module=point.value, state="broken", cause=cause)


def _of_module(name: str, known: Collection[str]) -> Plugin:
    try:
        found = find_spec(name.partition(".")[0]) is not None
    except (ImportError, ValueError):  # nothing that can be imported is called so
        found = False
    if not found:
        hint = suggestion(name, known) or f"; plugins: {listing(known)}"
        raise UnknownName(f"no plugin and no module {name!r}{hint}")
    return Plugin(name, name, requested=True)


def _of_file(path: str) -> Plugin:
    stem = os.path.splitext(os.path.basename(path))[0]
    return Plugin(stem, file_module_name(path), file=path, requested=True)


def _headers(distribution: Distribution) -> dict[str, str]:
    """Return the first line of each header: ``distribution.metadata`` would parse the whole long description."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    headers: dict[str, str] = {}
    for line in text.splitlines():
        if not line:
            break
        key, separator, value = line.partition(": ")
        if separator:
            headers.setdefault(key, value)
    return headers
