"""ComponentContract: what holds for components of every kind."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from leaven.registry.offers import Offer
from leaven.registry.parameters import parameters_of
from leaven.registry.recipes import Recipe, recipe_of
from leaven.registry.registry import Registry, default_registry
from leaven.stream import wire
from leaven.testing.tools import heavy_imports


class ComponentContract:
    """The contract of every component.

    Attributes:
        spec: ``kind:name`` of the component.
        params: parameters that it is made with.
    """

    spec: ClassVar[str]
    params: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def registry(self) -> Registry:
        """Where the component is looked up."""
        return default_registry()

    @pytest.fixture
    def arguments(self) -> Mapping[str, Any]:
        """The parameters that it is made with; override it where they are known at run time only."""
        return self.params

    @pytest.fixture
    def component(self, registry: Registry, arguments: Mapping[str, Any]) -> Any:
        """A new component."""
        return registry.create(self.spec, **arguments)

    @pytest.fixture
    def offer(self, registry: Registry) -> Offer:
        """The declaration that the name leads to."""
        return registry.find(self.spec)

    def test_it_says_what_it_is(self, offer: Offer) -> None:
        """Listings show a summary, and descriptions the docstring."""
        assert offer.component.summary, "Component(..., summary=...) is empty"
        assert inspect.getdoc(offer.load()), f"{offer.component.target} has no docstring"

    def test_each_parameter_has_a_name(self, offer: Offer) -> None:
        """No ``*args`` and ``**kwargs``: names are checked before the call."""
        parameters_of(offer.load())

    def test_its_door_is_light(self, offer: Offer) -> None:
        """Doors are imported whenever a name is looked up, and by ``leaven --help``."""
        found = heavy_imports(offer.plugin.file or offer.plugin.module)
        assert not found, f"the door {offer.plugin.module} imports {', '.join(found)}"

    def test_another_process_can_make_it(self, component: Any) -> None:
        """It crosses as a recipe of plain data and is made again from that."""
        message = wire.pack(recipe_of(component).to_plain())
        again = Recipe.from_plain(wire.unpack(message)).build()
        assert type(again) is type(component)
        assert wire.pack(recipe_of(again).to_plain()) == message, "made again, its arguments are others"
