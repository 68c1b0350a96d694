"""Plugin: area under the ROC curve."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.auc.metric import AUC as AUC


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:auc``."""
    yield Component("auc", "leaven_plugins.metrics.auc.metric:AUC", "area under the ROC curve", extra="leaven[torch]")


def __getattr__(name: str) -> Any:
    if name == "AUC":
        from leaven_plugins.metrics.auc.metric import AUC

        return AUC
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
