"""Plugin: weaker draws."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.scaled.rng import Scaled as Scaled


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:scaled``."""
    yield Component("scaled", "leaven_plugins.rngs.scaled.rng:Scaled", "draws of another RNG, made weaker")


def __getattr__(name: str) -> Any:
    if name == "Scaled":
        from leaven_plugins.rngs.scaled.rng import Scaled

        return Scaled
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
