"""Plugin: the usual training loop."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.trainers.standard.trainer import Trainer as Trainer


@hookimpl
def leaven_trainers() -> Iterable[Component]:
    """Declare ``trainer:standard``."""
    yield Component(
        "standard",
        "leaven_plugins.trainers.standard.trainer:Trainer",
        "epochs of training and validation, with hooks and snapshots",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "Trainer":
        from leaven_plugins.trainers.standard.trainer import Trainer

        return Trainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
