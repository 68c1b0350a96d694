"""Plugin: normalised scanpath saliency, as a metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.nss.metric import NSS as NSS


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:nss``."""
    yield Component(
        "nss", "leaven_plugins.metrics.nss.metric:NSS", "normalised scanpath saliency", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "NSS":
        from leaven_plugins.metrics.nss.metric import NSS

        return NSS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
