"""Plugin: a dataset whose samples are kept where they are read faster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.cached.dataset import Cached as Cached


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:cached``."""
    yield Component(
        "cached",
        "leaven_plugins.datasets.cached.dataset:Cached",
        "a dataset whose samples are kept where they are read faster",
    )


def __getattr__(name: str) -> Any:
    if name == "Cached":
        from leaven_plugins.datasets.cached.dataset import Cached

        return Cached
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
