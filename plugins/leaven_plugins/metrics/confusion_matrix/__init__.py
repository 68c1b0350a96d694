"""Plugin: which class is taken for which."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.confusion_matrix.metric import ConfusionMatrix as ConfusionMatrix


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:confusion_matrix``."""
    yield Component(
        "confusion_matrix",
        "leaven_plugins.metrics.confusion_matrix.metric:ConfusionMatrix",
        "how often each class is taken for each",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "ConfusionMatrix":
        from leaven_plugins.metrics.confusion_matrix.metric import ConfusionMatrix

        return ConfusionMatrix
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
