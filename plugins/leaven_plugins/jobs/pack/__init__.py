"""Plugin: samples read, changed and packed into parts of a dataset."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.jobs.pack.job import Pack as Pack


@hookimpl
def leaven_jobs() -> Iterable[Component]:
    """Declare ``job:pack``."""
    yield Component(
        "pack",
        "leaven_plugins.jobs.pack.job:Pack",
        "samples read, changed and packed into parts of a dataset",
    )


def __getattr__(name: str) -> Any:
    if name == "Pack":
        from leaven_plugins.jobs.pack.job import Pack

        return Pack
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
