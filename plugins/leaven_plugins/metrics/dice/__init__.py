"""Plugin: overlap of regions, as a metric."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.dice.metric import Dice as Dice


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:dice``."""
    yield Component(
        "dice", "leaven_plugins.metrics.dice.metric:Dice", "the Dice coefficient of classes", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "Dice":
        from leaven_plugins.metrics.dice.metric import Dice

        return Dice
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
