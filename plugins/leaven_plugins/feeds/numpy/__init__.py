"""Plugin: batches as numpy arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.feeds.numpy.feed import NumpyFeed as NumpyFeed


@hookimpl
def leaven_feeds() -> Iterable[Component]:
    """Declare ``feed:numpy``."""
    yield Component("numpy", "leaven_plugins.feeds.numpy.feed:NumpyFeed", "numpy arrays, views of the batch itself")


def __getattr__(name: str) -> Any:
    if name == "NumpyFeed":
        from leaven_plugins.feeds.numpy.feed import NumpyFeed

        return NumpyFeed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
