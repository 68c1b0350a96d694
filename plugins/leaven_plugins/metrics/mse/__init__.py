"""Plugin: mean squared difference, as a metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.mse.metric import MSE as MSE


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:mse``."""
    yield Component(
        "mse",
        "leaven_plugins.metrics.mse.metric:MSE",
        "mean squared difference of output and target",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "MSE":
        from leaven_plugins.metrics.mse.metric import MSE

        return MSE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
