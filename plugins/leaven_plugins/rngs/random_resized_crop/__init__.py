"""Plugin: random parts of images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.random_resized_crop.rng import RandomResizedCrop as RandomResizedCrop


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:random_resized_crop``."""
    yield Component(
        "random_resized_crop",
        "leaven_plugins.rngs.random_resized_crop.rng:RandomResizedCrop",
        "a part of the image, of drawn area and proportions, and mirrors",
    )


def __getattr__(name: str) -> Any:
    if name == "RandomResizedCrop":
        from leaven_plugins.rngs.random_resized_crop.rng import RandomResizedCrop

        return RandomResizedCrop
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
