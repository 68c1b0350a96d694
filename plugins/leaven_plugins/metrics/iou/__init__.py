"""Plugin: intersection over union."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.iou.metric import IoU as IoU


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:iou``."""
    yield Component(
        "iou", "leaven_plugins.metrics.iou.metric:IoU", "intersection over union of classes", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "IoU":
        from leaven_plugins.metrics.iou.metric import IoU

        return IoU
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
