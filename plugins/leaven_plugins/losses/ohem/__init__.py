"""Plugin: hard examples only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.ohem.loss import OHEM as OHEM


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:ohem``."""
    yield Component(
        "ohem",
        "leaven_plugins.losses.ohem.loss:OHEM",
        "another loss, over its hardest pixels only",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "OHEM":
        from leaven_plugins.losses.ohem.loss import OHEM

        return OHEM
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
