"""Plugin: several metrics as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.combined.metric import Combined as Combined


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:combined``."""
    yield Component(
        "combined", "leaven_plugins.metrics.combined.metric:Combined", "several metrics, their values in one dict"
    )


def __getattr__(name: str) -> Any:
    if name == "Combined":
        from leaven_plugins.metrics.combined.metric import Combined

        return Combined
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
