"""Examples: components made so that they show what they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaven.errors import LeavenError
from leaven.protocols import Op
from leaven.registry.offers import Offer
from leaven.registry.registry import Registry
from leaven_plugins.workers.image.worker import DEFAULT_OPS


def made_as_example(offer: Offer, registry: Registry) -> Any:
    """Return a component made with the parameters of its class' attribute ``example``, or with none.

    Raises:
        ParameterError: it has no example, and needs parameters.
    """
    return registry.create(offer.qualified, **example_of(offer))


def example_of(offer: Offer) -> dict[str, Any]:
    """Return the parameters with which a component shows what it does; a class does not inherit them."""
    return dict(getattr(offer.load(), "__dict__", {}).get("example", {}))


def ops_for(registry: Registry, draws: Sequence[Mapping[str, Any]]) -> list[Op]:
    """Return ops that read what was drawn; of several that read the same key the usual one, or the first by name."""
    wanted = {key for draw in draws for key in draw}
    found: list[Op] = []
    for offer in sorted(registry.offers("op"), key=lambda offer: offer.name not in DEFAULT_OPS):
        keys = _keys_of(offer)
        if keys & wanted:
            found.append(made_as_example(offer, registry))
            wanted -= keys
    return found


def _keys_of(offer: Offer) -> set[str]:
    try:
        return set(getattr(offer.load(), "keys", ()))
    except LeavenError:  # what is wrong with it is told where it is asked for
        return set()
