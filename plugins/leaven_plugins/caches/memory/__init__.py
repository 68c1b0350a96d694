"""Plugin: the memory of each process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.caches.memory.cache import MemoryCache as MemoryCache


@hookimpl
def leaven_caches() -> Iterable[Component]:
    """Declare ``cache:memory``."""
    yield Component("memory", "leaven_plugins.caches.memory.cache:MemoryCache", "the memory of each process")


def __getattr__(name: str) -> Any:
    if name == "MemoryCache":
        from leaven_plugins.caches.memory.cache import MemoryCache

        return MemoryCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
