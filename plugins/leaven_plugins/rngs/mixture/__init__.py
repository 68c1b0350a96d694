"""Plugin: a mixture of augmentations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.mixture.rng import MixtureRNG as MixtureRNG


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:mixture``."""
    yield Component(
        "mixture",
        "leaven_plugins.rngs.mixture.rng:MixtureRNG",
        "scale, shift, rotation, aspect, shear, mirrors; brightness, colour, contrast, noise and blur now and then",
    )


def __getattr__(name: str) -> Any:
    if name == "MixtureRNG":
        from leaven_plugins.rngs.mixture.rng import MixtureRNG

        return MixtureRNG
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
