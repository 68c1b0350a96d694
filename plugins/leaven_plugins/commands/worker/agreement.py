"""Agreement: whether this host makes the same batches as the loader's, and from what is installed here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from leaven.errors import LookupFailed, ProtocolError, RecipeError, WorkerError, printable
from leaven.registry.recipes import Recipe
from leaven.registry.references import Reference, reference_to
from leaven.stream.versions import versions

if TYPE_CHECKING:
    from leaven.registry.offers import Offer
    from leaven.registry.registry import Registry

_ROLE = "loader"
_SAME = {"opencv-python-headless": "opencv-python"}  # one library under two names
_PLAIN = {"numpy:dtype", "leaven.stream.buffers:BufferSpec"}  # what parameters may be made of, besides components


def agreed(spec: Mapping[str, Any], registry: Registry, any_versions: bool) -> dict[str, Any]:
    """Return what a worker process of this host sets up from, for what a loader has told.

    Components are looked up by name in ``registry``, and imported from where they are declared here: what a loader says
    leads to nothing else. Samples come with the requests, and arrays go back with the answers.

    Raises:
        WorkerError: what is installed differs from what the loader has, or the work is none of a loader.
        RecipeError: a component is not one that is known here.
        ProtocolError: ``spec`` is malformed.
    """
    try:
        if spec["role"] != _ROLE:
            raise WorkerError(f"work for {printable(repr(spec['role']), 40)} is done by the loader's own host only")
        names = Names(registry)
        worker = names.found(Recipe.from_plain(spec["worker"]))
        collators = [names.found(Recipe.from_plain(collator)) for collator in spec["collators"]]
        differing = [*_differing(_merged(spec["versions"])), *names.differing]
    except (KeyError, TypeError, AttributeError) as error:
        raise ProtocolError(f"the loader's description of the work is malformed: {error!r}") from error
    if differing and not any_versions:
        raise WorkerError(
            f"other versions here than where the loader is, so that batches might differ: {'; '.join(differing)}; "
            "install the same ones, or give --allow-versions"
        )
    here = {"worker": worker.to_plain(), "collators": [collator.to_plain() for collator in collators]}
    return {**spec, **here, "dataset": None, "shared": False, "arena": None, "owner": os.getpid()}


class Names:
    """Finds the components of recipes in the registry of this host.

    Attributes:
        differing: components of another version than the recipe's, a text for each.
    """

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.differing: list[str] = []

    def found(self, recipe: Recipe) -> Recipe:
        """Return the recipe with the targets that are declared here, of nested ones too.

        Raises:
            RecipeError: there is no such component here.
        """
        params = {name: self._value(value) for name, value in recipe.params.items()}
        if not recipe.component and recipe.target in _PLAIN:
            return replace(recipe, params=params, source=None)
        offer = self._offer(recipe.component, recipe.target)
        self._compare(offer, recipe.version)
        target = reference_to(offer.component.target)
        return replace(recipe, target=target.target, source=target.source, params=params)

    def _value(self, value: Any) -> Any:
        if isinstance(value, Recipe):
            return self.found(value)
        if isinstance(value, Reference):
            return reference_to(self._offer("", value.target).component.target)
        if type(value) in (list, tuple):
            return type(value)(self._value(part) for part in value)
        if type(value) is dict:
            return {self._value(key): self._value(part) for key, part in value.items()}
        return value

    def _offer(self, component: str, target: str) -> Offer:
        if component:
            try:
                return self._registry.find(component)
            except LookupFailed as error:
                raise RecipeError(f"the loader works with a component that is not here: {error}") from error
        for offer in self._registry.offers(hidden=True):
            if target == offer.component.target:
                return offer
        raise RecipeError(
            f"the loader works with {printable(target, 120)}, which is no component of a plugin here; what works on "
            "other hosts has to be: declare it in a plugin, and install it here or give -p file.py on both"
        )

    def _compare(self, offer: Offer, version: str) -> None:
        if version and version != offer.plugin.version:
            self.differing.append(f"{offer.spec} {printable(version, 40)} there, {offer.plugin.version or 'none'} here")


def _differing(there: Mapping[str, str]) -> list[str]:
    here = _merged(versions())
    return [
        f"{printable(name, 60)} {printable(version, 40)} there, {here.get(name, 'not installed')} here"
        for name, version in sorted(there.items())
        if here.get(name) != version
    ]


def _merged(found: Mapping[str, str]) -> dict[str, str]:
    return {_SAME.get(str(name), str(name)): str(version) for name, version in found.items()}
