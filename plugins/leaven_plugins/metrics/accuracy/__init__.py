"""Plugin: top-k accuracy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.accuracy.metric import Accuracy as Accuracy


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:accuracy``."""
    yield Component(
        "accuracy",
        "leaven_plugins.metrics.accuracy.metric:Accuracy",
        "share of samples whose class is among the k highest outputs",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Accuracy":
        from leaven_plugins.metrics.accuracy.metric import Accuracy

        return Accuracy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
