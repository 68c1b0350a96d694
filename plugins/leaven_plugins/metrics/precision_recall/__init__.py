"""Plugin: precision, recall and F1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.precision_recall.metric import F1 as F1
    from leaven_plugins.metrics.precision_recall.metric import Precision as Precision
    from leaven_plugins.metrics.precision_recall.metric import Recall as Recall


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:precision``, ``metric:recall`` and ``metric:f1``."""
    yield Component(
        "precision",
        "leaven_plugins.metrics.precision_recall.metric:Precision",
        "share of what was found that is right",
        extra="leaven[torch]",
    )
    yield Component(
        "recall",
        "leaven_plugins.metrics.precision_recall.metric:Recall",
        "share of what is there that was found",
        extra="leaven[torch]",
    )
    yield Component(
        "f1",
        "leaven_plugins.metrics.precision_recall.metric:F1",
        "harmonic mean of precision and recall",
        extra="leaven[torch]",
    )


_CLASSES = ("F1", "Precision", "Recall")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from leaven_plugins.metrics.precision_recall import metric

        return getattr(metric, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
