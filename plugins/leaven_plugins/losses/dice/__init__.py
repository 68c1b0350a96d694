"""Plugin: overlap of regions, as a loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.dice.loss import Dice as Dice


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:dice``."""
    yield Component(
        "dice", "leaven_plugins.losses.dice.loss:Dice", "1 - the Dice coefficient of classes", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "Dice":
        from leaven_plugins.losses.dice.loss import Dice

        return Dice
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
