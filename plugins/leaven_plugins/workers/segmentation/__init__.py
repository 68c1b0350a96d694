"""Plugin: images with a mask each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.workers.segmentation.worker import SegmentationWorker as SegmentationWorker


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:segmentation``."""
    yield Component(
        "segmentation",
        "leaven_plugins.workers.segmentation.worker:SegmentationWorker",
        "images, augmented, with a mask of classes each",
    )


def __getattr__(name: str) -> Any:
    if name == "SegmentationWorker":
        from leaven_plugins.workers.segmentation.worker import SegmentationWorker

        return SegmentationWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
