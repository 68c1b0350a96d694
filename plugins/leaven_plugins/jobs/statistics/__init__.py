"""Plugin: sizes, classes, mean and deviation of the pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.jobs.statistics.job import Statistics as Statistics


@hookimpl
def leaven_jobs() -> Iterable[Component]:
    """Declare ``job:statistics``."""
    yield Component(
        "statistics",
        "leaven_plugins.jobs.statistics.job:Statistics",
        "sizes, classes, mean and deviation of the pixels",
    )


def __getattr__(name: str) -> Any:
    if name == "Statistics":
        from leaven_plugins.jobs.statistics.job import Statistics

        return Statistics
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
