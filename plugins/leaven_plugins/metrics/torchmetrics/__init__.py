"""Plugin: metrics of torchmetrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.torchmetrics.metric import TorchMetric as TorchMetric


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:torchmetrics``."""
    yield Component(
        "torchmetrics",
        "leaven_plugins.metrics.torchmetrics.metric:TorchMetric",
        "any metric of the package torchmetrics",
        extra="leaven[metrics]",
    )


def __getattr__(name: str) -> Any:
    if name == "TorchMetric":
        from leaven_plugins.metrics.torchmetrics.metric import TorchMetric

        return TorchMetric
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
