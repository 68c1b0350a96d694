"""Plugin: training along traces."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.trainers.tracing.trainer import TracingTrainer as TracingTrainer


@hookimpl
def leaven_trainers() -> Iterable[Component]:
    """Declare ``trainer:tracing``."""
    yield Component(
        "tracing",
        "leaven_plugins.trainers.tracing.trainer:TracingTrainer",
        "goes on with an example as long as the network keeps on its track",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "TracingTrainer":
        from leaven_plugins.trainers.tracing.trainer import TracingTrainer

        return TracingTrainer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
