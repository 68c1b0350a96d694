"""Plugin: images with a map of where people looked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.workers.saliency.worker import SaliencyWorker as SaliencyWorker


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:saliency``."""
    yield Component(
        "saliency",
        "leaven_plugins.workers.saliency.worker:SaliencyWorker",
        "images, augmented, with a map of where people looked",
    )


def __getattr__(name: str) -> Any:
    if name == "SaliencyWorker":
        from leaven_plugins.workers.saliency.worker import SaliencyWorker

        return SaliencyWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
