"""Plugin: focal loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.focal.loss import Focal as Focal


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:focal``."""
    yield Component(
        "focal",
        "leaven_plugins.losses.focal.loss:Focal",
        "cross entropy that counts what is hard",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Focal":
        from leaven_plugins.losses.focal.loss import Focal

        return Focal
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
