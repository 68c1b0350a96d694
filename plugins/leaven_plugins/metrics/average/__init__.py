"""Plugin: the mean of a tensor of the sample."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.average.metric import Average as Average


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:average``."""
    yield Component(
        "average",
        "leaven_plugins.metrics.average.metric:Average",
        "mean of one of the sample's tensors",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Average":
        from leaven_plugins.metrics.average.metric import Average

        return Average
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
