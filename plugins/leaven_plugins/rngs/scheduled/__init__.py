"""Plugin: draws whose strength depends on the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.rngs.scheduled.rng import Scheduled as Scheduled


@hookimpl
def leaven_rngs() -> Iterable[Component]:
    """Declare ``rng:scheduled``."""
    yield Component(
        "scheduled",
        "leaven_plugins.rngs.scheduled.rng:Scheduled",
        "draws of another RNG, stronger or weaker from epoch to epoch",
    )


def __getattr__(name: str) -> Any:
    if name == "Scheduled":
        from leaven_plugins.rngs.scheduled.rng import Scheduled

        return Scheduled
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
