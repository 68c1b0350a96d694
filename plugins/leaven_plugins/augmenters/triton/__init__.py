"""Plugin: augmentation by one fused kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.augmenters.triton.randomizer import TritonRandomizer as TritonRandomizer


@hookimpl
def leaven_augmenters() -> Iterable[Component]:
    """Declare ``augmenter:triton``."""
    yield Component(
        "triton",
        "leaven_plugins.augmenters.triton.randomizer:TritonRandomizer",
        "ops on a batch, fused into one kernel, on CUDA",
        extra="leaven[triton]",
    )


def __getattr__(name: str) -> Any:
    if name == "TritonRandomizer":
        from leaven_plugins.augmenters.triton.randomizer import TritonRandomizer

        return TritonRandomizer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
