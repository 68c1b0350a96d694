"""Plugin: training of recurrent networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.trainers.recurrent.trainer import RecurrentTrainer as RecurrentTrainer


@hookimpl
def leaven_trainers() -> Iterable[Component]:
    """Declare ``trainer:recurrent``."""
    yield Component(
        "recurrent",
        "leaven_plugins.trainers.recurrent.trainer:RecurrentTrainer",
        "carries a state along sequences",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "RecurrentTrainer":
        from leaven_plugins.trainers.recurrent.trainer import RecurrentTrainer

        return RecurrentTrainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
