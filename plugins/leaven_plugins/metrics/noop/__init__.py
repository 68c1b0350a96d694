"""Plugin: a metric that measures nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.noop.metric import Noop as Noop


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:noop``."""
    yield Component("noop", "leaven_plugins.metrics.noop.metric:Noop", "no values at all")


def __getattr__(name: str) -> Any:
    if name == "Noop":
        from leaven_plugins.metrics.noop.metric import Noop

        return Noop
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
