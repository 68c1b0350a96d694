"""Plugin: LAMB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.optimizers.lamb.optimizer import Lamb as Lamb


@hookimpl
def leaven_optimizers() -> Iterable[Component]:
    """Declare ``optimizer:lamb``."""
    yield Component(
        "lamb",
        "leaven_plugins.optimizers.lamb.optimizer:Lamb",
        "Adam with a trust ratio for each layer, for large batches",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Lamb":
        from leaven_plugins.optimizers.lamb.optimizer import Lamb

        return Lamb
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
