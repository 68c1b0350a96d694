"""Plugin: random augmentations of one strength."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.rand_augment.rng import RandAugment as RandAugment


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:rand_augment``."""
    yield Component(
        "rand_augment",
        "leaven_plugins.rngs.rand_augment.rng:RandAugment",
        "some augmentations of a list, all of one strength",
    )


def __getattr__(name: str) -> Any:
    if name == "RandAugment":
        from leaven_plugins.rngs.rand_augment.rng import RandAugment

        return RandAugment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
