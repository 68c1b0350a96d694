"""Plugin: one random augmentation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.trivial_augment.rng import TrivialAugment as TrivialAugment


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:trivial_augment``."""
    yield Component(
        "trivial_augment",
        "leaven_plugins.rngs.trivial_augment.rng:TrivialAugment",
        "one augmentation of a list, of any strength",
    )


def __getattr__(name: str) -> Any:
    if name == "TrivialAugment":
        from leaven_plugins.rngs.trivial_augment.rng import TrivialAugment

        return TrivialAugment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
