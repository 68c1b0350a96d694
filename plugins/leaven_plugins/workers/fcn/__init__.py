"""Plugin: images with a second rendering each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.workers.fcn.worker import FCNWorker as FCNWorker


@hookimpl
def leaven_workers() -> Iterable[Component]:
    """Declare ``worker:fcn``."""
    yield Component(
        "fcn",
        "leaven_plugins.workers.fcn.worker:FCNWorker",
        "images twice, in the same place, with different parameters",
    )


def __getattr__(name: str) -> Any:
    if name == "FCNWorker":
        from leaven_plugins.workers.fcn.worker import FCNWorker

        return FCNWorker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
