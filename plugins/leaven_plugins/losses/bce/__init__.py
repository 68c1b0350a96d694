"""Plugin: binary cross entropy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.bce.loss import BCE as BCE


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:bce``."""
    yield Component(
        "bce",
        "leaven_plugins.losses.bce.loss:BCE",
        "binary cross entropy of each element by itself",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "BCE":
        from leaven_plugins.losses.bce.loss import BCE

        return BCE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
