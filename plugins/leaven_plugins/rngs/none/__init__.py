"""Plugin: no augmentation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.none.rng import NoRNG as NoRNG


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:none``."""
    yield Component("none", "leaven_plugins.rngs.none.rng:NoRNG", "draws nothing: every image as it is")


def __getattr__(name: str) -> Any:
    if name == "NoRNG":
        from leaven_plugins.rngs.none.rng import NoRNG

        return NoRNG
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
