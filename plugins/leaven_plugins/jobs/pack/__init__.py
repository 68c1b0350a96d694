"""Plugin: samples read, changed and packed into parts of a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.jobs.pack.job import Packing as Packing


@hookimpl
def leaven_jobs() -> Iterable[Component]:
    """Declare ``job:pack``."""
    yield Component(
        "pack",
        "leaven_plugins.jobs.pack.job:Packing",
        "samples read, changed and packed into parts of a dataset",
    )


def __getattr__(name: str) -> Any:
    if name == "Packing":
        from leaven_plugins.jobs.pack.job import Packing

        return Packing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
