"""Plugin: images alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.workers.image.worker import ImageWorker as ImageWorker


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:image``."""
    yield Component("image", "leaven_plugins.workers.image.worker:ImageWorker", "images alone, augmented")


def __getattr__(name: str) -> Any:
    if name == "ImageWorker":
        from leaven_plugins.workers.image.worker import ImageWorker

        return ImageWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
