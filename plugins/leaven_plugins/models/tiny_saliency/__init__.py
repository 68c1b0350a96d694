"""Plugin: a small network of saliency."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.tiny_saliency.model import TinySaliency as TinySaliency


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:tiny_saliency``."""
    yield Component(
        "tiny_saliency",
        "leaven_plugins.models.tiny_saliency.model:TinySaliency",
        "a small network from images to a map of where people look",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "TinySaliency":
        from leaven_plugins.models.tiny_saliency.model import TinySaliency

        return TinySaliency
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
