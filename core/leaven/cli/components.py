"""The command ``components``: what there is to choose from, and what each takes."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from leaven.cli.docstrings import argument_texts, first_paragraph
from leaven.cli.options import json_option
from leaven.cli.output import console, emit_json, heading, rows_of
from leaven.errors import LeavenError
from leaven.kinds import KINDS, kind_named

if TYPE_CHECKING:
    from leaven.registry.offers import Offer
    from leaven.registry.parameters import Parameter
    from leaven.registry.plugins import Plugin
    from leaven.registry.registry import Registry


@click.command()
@click.argument("kind", required=False)
@click.argument("name", required=False)
@json_option
@click.pass_obj
def components(registry: Registry, kind: str | None, name: str | None, as_json: bool) -> None:
    """List components by kind, or describe one: KIND NAME, or KIND:NAME.

    Nothing is imported to list them; to describe one imports it.
    """
    if kind and ":" in kind and name is None:
        kind, _, name = kind.partition(":")
    if kind:
        kind_named(kind)
    if name:
        _describe(registry.find(name, kind=kind), as_json)
    else:
        _list(registry, kind, as_json)


def _list(registry: Registry, kind: str | None, as_json: bool) -> None:
    offers = registry.offers(kind, hidden=True)
    states = _states(offers)
    if as_json:
        rows = [_plain(offer, state) for offer, state in zip(offers, states, strict=True)]
        emit_json({"components": rows, "broken": [_broken_plain(plugin) for plugin in registry.broken]})
        return
    cells = [_row(offer, state) for offer, state in zip(offers, states, strict=True)]
    widths = [max((len(row[column]) for row in cells), default=0) for column in (0, 1)]
    out = console()
    for each, group in groupby(zip(offers, cells, strict=True), key=lambda pair: pair[0].kind):
        out.print(heading(each, KINDS[each].meaning))
        out.print(rows_of([row for _, row in group], widths))


def _describe(offer: Offer, as_json: bool) -> None:
    doc, parameters, problem = _inspected(offer)
    if as_json:
        details = {"doc": doc, "parameters": [_parameter_plain(p) for p in parameters], "problem": problem}
        emit_json({"component": _plain(offer, "on") | details})
        return
    out = console()
    out.print(heading(offer.spec, _provider(offer)))
    out.print(rows_of([(first_paragraph(doc) or offer.component.summary,)], []))
    if problem:
        out.print(problem, style="yellow", markup=False)
        return
    meanings = argument_texts(doc)
    for parameter in parameters:
        out.print(heading(parameter.name, _declared(parameter)))
        out.print(rows_of([(meanings.get(parameter.name, ""),)], []))
    if not parameters:
        out.print("It takes no parameters.")


def _inspected(offer: Offer) -> tuple[str, Sequence[Parameter], str]:
    """Return documentation, parameters, and why these are not known, if they are not."""
    from leaven.registry.parameters import parameters_of

    try:
        target = offer.load()
    except LeavenError as error:
        return "", [], str(error)
    doc = inspect.getdoc(target) or ""
    if isinstance(target, click.Command):
        return target.help or doc, [], ""
    try:
        return doc, list(parameters_of(target).values()), ""
    except LeavenError as error:
        return doc, [], str(error)


def _row(offer: Offer, state: str) -> tuple[str, str, str]:
    note = "" if state == "on" else f" [{state}]"
    return offer.name, _provider(offer), offer.component.summary + note


def _provider(offer: Offer) -> str:
    """Return who offers it: the distribution, after the plugin's name where that is not the component's."""
    plugin = offer.plugin
    origin = f"{plugin.distribution} {plugin.version}".strip() or plugin.file.rpartition("/")[2] or plugin.module
    return origin if plugin.name in (offer.name, f"{offer.name}_{offer.kind}") else f"{plugin.name}, {origin}"


def _states(offers: Iterable[Offer]) -> list[str]:
    offers = list(offers)
    rivals: dict[str, int] = {}
    for offer in offers:
        if not (offer.blocked_by or offer.replaced_by):
            rivals[offer.spec] = rivals.get(offer.spec, 0) + 1
    return list(_each_state(offers, rivals))


def _each_state(offers: Iterable[Offer], rivals: dict[str, int]) -> Iterator[str]:
    for offer in offers:
        if offer.blocked_by:
            yield f"blocked by {offer.blocked_by}"
        elif offer.replaced_by:
            yield f"replaced by plugin {offer.replaced_by}"
        elif rivals[offer.spec] > 1:
            yield f"clash: say {offer.qualified}"
        else:
            yield "on"


def _declared(parameter: Parameter) -> str:
    default = "required" if parameter.required else f"= {parameter.default!r}"
    return f"{default}  ({parameter.annotation})" if parameter.annotation else default


def _plain(offer: Offer, state: str) -> dict[str, Any]:
    return {
        "kind": offer.kind,
        "name": offer.name,
        "spec": offer.spec,
        "plugin": offer.plugin.name,
        "distribution": offer.plugin.distribution,
        "version": offer.plugin.version,
        "summary": offer.component.summary,
        "state": state,
    }


def _parameter_plain(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "required": parameter.required,
        "default": None if parameter.required else repr(parameter.default),
        "annotation": parameter.annotation,
        "kinds": [taken.kind for taken in parameter.takes],
    }


def _broken_plain(plugin: Plugin) -> dict[str, str]:
    return {"plugin": plugin.name, "distribution": plugin.distribution, "reason": plugin.reason}
