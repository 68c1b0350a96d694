"""Plugin: images with one label each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.workers.classification.worker import ClassificationWorker as ClassificationWorker


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:classification``."""
    yield Component(
        "classification",
        "leaven_plugins.workers.classification.worker:ClassificationWorker",
        "images, augmented, with one label each",
    )


def __getattr__(name: str) -> Any:
    if name == "ClassificationWorker":
        from leaven_plugins.workers.classification.worker import ClassificationWorker

        return ClassificationWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
