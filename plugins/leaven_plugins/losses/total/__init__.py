"""Plugin: several losses as one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.total.loss import Total as Total


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:total``."""
    yield Component(
        "total", "leaven_plugins.losses.total.loss:Total", "a weighted sum of losses", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "Total":
        from leaven_plugins.losses.total.loss import Total

        return Total
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
