"""Examples: components made so that they show what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaven.protocols import Op
from leaven.registry.offers import Offer
from leaven.registry.registry import Registry


def made_as_example(offer: Offer, registry: Registry) -> Any:
    """Return a component made with the parameters of its class' attribute ``example``, or with none.

    Raises:
        ParameterError: it has no example, and needs parameters.
    """
    return registry.create(offer.qualified, **example_of(offer))


def example_of(offer: Offer) -> dict[str, Any]:
    """Return the parameters with which a component shows what it does."""
    return dict(getattr(offer.load(), "example", {}))


def ops_for(registry: Registry, draws: Sequence[Mapping[str, Any]]) -> list[Op]:
    """Return ops that read what was drawn; of several that read the same key, the first by name."""
    wanted = {key for draw in draws for key in draw}
    found: list[Op] = []
    for offer in registry.offers("op"):
        keys = set(getattr(offer.load(), "keys", ()))
        if keys & wanted:
            found.append(made_as_example(offer, registry))
            wanted -= keys
    return found
