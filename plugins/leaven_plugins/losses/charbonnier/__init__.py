"""Plugin: Charbonnier loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.charbonnier.loss import Charbonnier as Charbonnier


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:charbonnier``."""
    yield Component(
        "charbonnier",
        "leaven_plugins.losses.charbonnier.loss:Charbonnier",
        "a smooth absolute difference",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Charbonnier":
        from leaven_plugins.losses.charbonnier.loss import Charbonnier

        return Charbonnier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
