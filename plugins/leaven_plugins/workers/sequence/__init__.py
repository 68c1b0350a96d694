"""Plugin: sequences of images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.workers.sequence.worker import SequenceWorker as SequenceWorker


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:sequence``."""
    yield Component(
        "sequence",
        "leaven_plugins.workers.sequence.worker:SequenceWorker",
        "sequences of images, augmented alike",
    )


def __getattr__(name: str) -> Any:
    if name == "SequenceWorker":
        from leaven_plugins.workers.sequence.worker import SequenceWorker

        return SequenceWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
