"""Lookup: from a spec string to the one offer that it means, or to an error that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from leaven.errors import BlockedError, BrokenPluginError, LookupFailed, NameClash, UnknownName, listing, suggestion
from leaven.kinds import kind_named
from leaven.registry.blocks import Block
from leaven.registry.discovery import Discovery
from leaven.registry.offers import Offer
from leaven.registry.plugins import Plugin

_SPEC = re.compile(r"(?:(?P<kind>[^:/]*):)?(?:(?P<plugin>[^:/]+)/)?(?P<name>[^:/]+)")


class Spec(NamedTuple):
    """A spec string ``[kind:][plugin/]name`` in parts; what it does not say is ``""``."""

    kind: str
    plugin: str
    name: str


def parse_spec(text: str, kind: str = "") -> Spec:
    """Take a spec string apart; ``kind`` is the one that the position implies.

    Raises:
        LookupFailed: it is malformed, or of another kind.
        UnknownName: there is no such kind.
    """
    match = _SPEC.fullmatch(text.strip())
    if match is None:
        raise LookupFailed(f"{text!r} is not of the form [kind:][plugin/]name")
    said = match["kind"]
    for name in (said, kind):
        if name:
            kind_named(name)
    if said and kind and said != kind:
        raise LookupFailed(f"{text!r} is of kind {said}, but one of kind {kind} is needed here")
    return Spec(said or kind, match["plugin"] or "", match["name"])


class Lookup:
    """What can be found among the offers of a discovery once blocks and replacements have been applied.

    Args:
        discovery: plugins and their offers.
        blocks: those of single components apply here.

    Raises:
        UnknownName: a block names a component that does not exist.
    """

    def __init__(self, discovery: Discovery, blocks: Sequence[Block]) -> None:
        self.plugins = discovery.plugins
        blocks = [block for block in blocks if block.kind]
        self._check_blocks(blocks, discovery.offers)
        self.offers = _replaced_marked([_blocked(offer, blocks) for offer in discovery.offers])

    def find(self, spec: Spec) -> Offer:
        """Return the offer that ``spec`` means.

        Raises:
            UnknownName: nothing of this name exists; the text has the nearest name and what exists.
            NameClash: several plugins offer it; the text has the ways out.
            BlockedError: it, or its plugin, is blocked; the text says by what.
            BrokenPluginError: its plugin is broken, which is chained.
            LookupFailed: several kinds have the name, and ``spec`` does not say which is meant.
        """
        matches = [offer for offer in self.offers if _matches(spec, offer)]
        kinds = sorted({offer.kind for offer in matches})
        if len(kinds) > 1:
            specs = " and ".join(f"{kind}:{spec.name}" for kind in kinds)
            raise LookupFailed(f"{spec.name!r} is the name of {specs}: say which one is meant")
        usable = [offer for offer in matches if not offer.blocked_by and (spec.plugin or not offer.replaced_by)]
        if len(usable) == 1:
            return self._preferred(usable[0])
        if usable or any(offer.replaced_by for offer in matches):
            raise _clash(usable or [offer for offer in matches if not offer.blocked_by])
        if matches:
            raise _blocked_error(_asked(spec), f"it was blocked by {matches[0].blocked_by}")
        raise self._not_found(spec)

    def _preferred(self, offer: Offer) -> Offer:
        """Return what the offer stands for: itself, or the first that it prefers and that can be found."""
        names = offer.component.prefers
        if not names:
            return offer
        for name in names:
            spec = Spec(offer.kind, "", name)
            try:
                if any(_matches(spec, other) and other.component.prefers for other in self.offers):
                    raise LookupFailed(f"{offer.spec!r} prefers {name!r}, which is no component itself")
                return self.find(spec)
            except (UnknownName, BlockedError) as error:
                problem = error
        raise UnknownName(f"{offer.spec!r} stands for {' or '.join(names)}: {problem}") from problem

    def _not_found(self, spec: Spec) -> LookupFailed:
        """Say why nothing was found. What a plugin that is off would offer is not known: its name is the best hint."""
        if spec.plugin and spec.plugin not in {plugin.name for plugin in self.plugins}:
            names = [plugin.name for plugin in self.plugins]
            hint = suggestion(spec.plugin, names) or f"; plugins: {listing(names)}"
            return UnknownName(f"{_asked(spec)}: no plugin {spec.plugin!r}{hint}")
        off = [plugin for plugin in self.plugins if plugin.state != "on"]
        likely = {spec.plugin} if spec.plugin else {spec.name, f"{spec.name}_{spec.kind}"}
        for plugin in off:
            if plugin.name in likely:
                return _plugin_off(spec, plugin)
        return UnknownName(f"no {_asked(spec)}{self._what_exists(spec)}{_might_have_it(off)}")

    def _what_exists(self, spec: Spec) -> str:
        offers = [o for o in self.offers if _matches(spec._replace(name=o.name), o) and not o.blocked_by]
        hint = suggestion(spec.name, {offer.name for offer in offers})
        within = f" of plugin {spec.plugin!r}" if spec.plugin else ""
        names = {offer.name if spec.kind else offer.spec for offer in offers}
        return f"{hint or ';'} {spec.kind or 'component'}s{within}: {listing(names)}"

    def _check_blocks(self, blocks: Iterable[Block], offers: Sequence[Offer]) -> None:
        """Refuse blocks of what does not exist, unless a plugin is off that may have it and no name is near."""
        for block in blocks:
            if any(_hits(block, offer) for offer in offers):
                continue
            names = {offer.name for offer in offers if offer.kind == block.kind}
            hint = suggestion(block.component, names)
            if hint or all(plugin.state == "on" for plugin in self.plugins):
                exist = hint or f"; {block.kind}s: {listing(names)}"
                raise UnknownName(f"{block.origin}: no {block.kind} {block.component!r}{exist}")


def _matches(spec: Spec, offer: Offer) -> bool:
    return offer.name == spec.name and spec.kind in ("", offer.kind) and spec.plugin in ("", offer.plugin.name)


def _hits(block: Block, offer: Offer) -> bool:
    return _matches(Spec(block.kind, block.plugin, block.component), offer)


def _blocked(offer: Offer, blocks: Iterable[Block]) -> Offer:
    origin = next((block.origin for block in blocks if _hits(block, offer)), "")
    return offer._replace(blocked_by=origin) if origin else offer


def _replaced_marked(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    by = {
        (offer.kind, offer.name, offer.component.replaces): offer.plugin.name
        for offer in offers
        if offer.component.replaces and not offer.blocked_by
    }
    return tuple(o._replace(replaced_by=by.get((o.kind, o.name, o.plugin.name), "")) for o in offers)


def _asked(spec: Spec) -> str:
    plugin = f"{spec.plugin}/" if spec.plugin else ""
    return f"{spec.kind or 'component'} {plugin + spec.name!r}"


def _clash(offers: Sequence[Offer]) -> NameClash:
    offer = offers[0]
    titles = " and ".join(other.plugin.title for other in offers)
    specs = " or ".join(other.qualified for other in offers)
    return NameClash(
        f"{offer.kind} {offer.name!r} is offered by {titles}: say which one is meant ({specs}), "
        f"block one of the plugins (-p no:{offer.plugin.name}), "
        f"or let one declare that it replaces the other (replaces={offer.plugin.name!r})"
    )


def _blocked_error(asked: str, by: str) -> BlockedError:
    return BlockedError(f"{asked} is blocked: {by}; leave that out to use it")


def _plugin_off(spec: Spec, plugin: Plugin) -> LookupFailed:
    if plugin.state == "blocked":
        return _blocked_error(_asked(spec), f"plugin {plugin.name!r} was blocked by {plugin.blocked_by}")
    error = BrokenPluginError(f"{_asked(spec)} cannot be used: {plugin.title} is {plugin.reason}")
    error.__cause__ = plugin.cause
    return error


def _might_have_it(off: Sequence[Plugin]) -> str:
    return f"; off, and might have it: {', '.join(f'{p.name} ({p.reason})' for p in off)}" if off else ""
