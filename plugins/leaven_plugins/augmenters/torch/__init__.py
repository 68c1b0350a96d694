"""Plugin: augmentation by torch's operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.augmenters.torch.functions import add_blur as add_blur
    from leaven_plugins.augmenters.torch.functions import add_gamma as add_gamma
    from leaven_plugins.augmenters.torch.functions import add_noise_other as add_noise_other
    from leaven_plugins.augmenters.torch.functions import add_noise_rgb as add_noise_rgb
    from leaven_plugins.augmenters.torch.randomizer import Randomizer as Randomizer


@hookimpl
def leaven_augmenters() -> Iterable[Component]:
    """Declare ``augmenter:torch``."""
    yield Component(
        "torch",
        "leaven_plugins.augmenters.torch.randomizer:Randomizer",
        "ops on a batch, by torch's operations, on any device",
        extra="leaven[torch]",
    )


_FUNCTIONS = ("add_blur", "add_gamma", "add_noise_other", "add_noise_rgb")


def __getattr__(name: str) -> Any:
    if name == "Randomizer":
        from leaven_plugins.augmenters.torch.randomizer import Randomizer

        return Randomizer
    if name in _FUNCTIONS:
        from leaven_plugins.augmenters.torch import functions

        return getattr(functions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
