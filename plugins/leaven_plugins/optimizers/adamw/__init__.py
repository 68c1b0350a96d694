"""Plugin: Adam with decoupled weight decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.optimizers.adamw.optimizer import AdamW as AdamW


@hookimpl
def leaven_optimizers() -> Iterable[Component]:
    """Declare ``optimizer:adamw``."""
    yield Component(
        "adamw",
        "leaven_plugins.optimizers.adamw.optimizer:AdamW",
        "Adam with decoupled weight decay",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "AdamW":
        from leaven_plugins.optimizers.adamw.optimizer import AdamW

        return AdamW
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
