"""The command ``plugin``: which plugins there are, where each comes from, what is wrong with them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.options import json_option
from leaven.cli.output import console, emit_json, rows_of, table
from leaven.errors import UnknownName, listing, suggestion
from leaven.registry.discovery import BrokenPluginWarning

if TYPE_CHECKING:
    from leaven.registry.offers import Offer
    from leaven.registry.plugins import Plugin
    from leaven.registry.registry import Registry


@click.group()
def plugin() -> None:
    """List plugins, describe one, find what is wrong with them."""
    warnings.simplefilter("ignore", BrokenPluginWarning)  # each of these commands says what is broken, and why


@plugin.command("list")
@json_option
@click.pass_obj
def list_plugins(registry: Registry, as_json: bool) -> None:
    """List all plugins: on, blocked, broken or replaced."""
    described = [_described(plugin, _offers_of(registry, plugin)) for plugin in registry.plugins()]
    if as_json:
        emit_json({"plugins": described})
        return
    rows = [(d["name"], d["state"], _origin(d), d["reason"] or ", ".join(d["components"])) for d in described]
    console().print(table(("plugin", "state", "from", "components"), rows))


@plugin.command()
@click.argument("name")
@json_option
@click.pass_obj
def info(registry: Registry, name: str, as_json: bool) -> None:
    """Describe one plugin: licence, module, file, import time, components."""
    found = [plugin for plugin in registry.plugins() if plugin.name == name]
    if not found:
        names = [plugin.name for plugin in registry.plugins()]
        raise UnknownName(f"no plugin {name!r}{suggestion(name, names) or f'; plugins: {listing(names, 60)}'}")
    described = [_described(plugin, _offers_of(registry, plugin)) | _details(plugin) for plugin in found]
    if as_json:
        emit_json({"plugins": described})
        return
    for each in described:
        rows = [(key.replace("_", " "), _text(value)) for key, value in each.items() if value not in ("", [])]
        console().print(rows_of(rows, [max(len(key) for key, _ in rows)]))


@plugin.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look for what is wrong with plugins and their environment; exit with 1 where something is."""
    from leaven.cli.doctor import environment, findings, versions

    registry: Registry = ctx.obj
    found = findings(registry)
    if as_json:
        emit_json({"findings": found, "versions": versions(), "environment": environment()})
    else:
        _print_diagnosis(registry, found, versions(), environment())
    ctx.exit(1 if found else 0)


def _print_diagnosis(
    registry: Registry, found: Sequence[dict[str, str]], installed: dict[str, str], variables: dict[str, str]
) -> None:
    out = console()
    facts = [(name, version or "not installed") for name, version in installed.items()]
    out.print(rows_of([*facts, *variables.items()], [max(len(name) for name in (*installed, *variables))]))
    plugins = registry.plugins()
    out.print(f"{sum(plugin.state == 'on' for plugin in plugins)} of {len(plugins)} plugins are on\n")
    for each in found:
        out.print(each["about"], style="bold yellow", markup=False)
        out.print(rows_of([(each["problem"],)], []))
    out.print(f"{len(found)} findings" if found else "no findings", style="yellow" if found else "green")


def _offers_of(registry: Registry, plugin: Plugin) -> list[Offer]:
    return [offer for offer in registry.offers(hidden=True) if offer.plugin == plugin]


def _described(plugin: Plugin, offers: Sequence[Offer]) -> dict[str, Any]:
    """Return what is listed of a plugin. It is ``replaced`` where nothing that it offers can be found by its name."""
    replaced = offers and all(offer.replaced_by for offer in offers)
    by = ", ".join(sorted({offer.replaced_by for offer in offers}))
    return {
        "name": plugin.name,
        "state": "replaced" if replaced else plugin.state,
        "reason": f"replaced by {by}" if replaced else plugin.reason,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "components": [offer.spec for offer in offers],
    }


def _details(plugin: Plugin) -> dict[str, Any]:
    return {
        "licence": plugin.licence,
        "module": plugin.module,
        "file": plugin.file or _file_of(plugin),
        "import_ms": round(plugin.import_ms, 1),
    }


def _file_of(plugin: Plugin) -> str:
    import sys

    return getattr(sys.modules.get(plugin.module), "__file__", None) or ""


def _origin(described: dict[str, Any]) -> str:
    return f"{described['distribution']} {described['version']}".strip() or "-p"


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)
