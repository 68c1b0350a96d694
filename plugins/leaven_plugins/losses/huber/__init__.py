"""Plugin: Huber loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.huber.loss import Huber as Huber


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:huber``."""
    yield Component(
        "huber",
        "leaven_plugins.losses.huber.loss:Huber",
        "squared where small, absolute where large",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Huber":
        from leaven_plugins.losses.huber.loss import Huber

        return Huber
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
