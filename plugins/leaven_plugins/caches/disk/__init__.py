"""Plugin: files on a local disk."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.caches.disk.cache import DiskCache as DiskCache


@hookimpl
def leaven_caches() -> Iterable[Component]:
    """Declare ``cache:disk``."""
    yield Component("disk", "leaven_plugins.caches.disk.cache:DiskCache", "files on a local disk")


def __getattr__(name: str) -> Any:
    if name == "DiskCache":
        from leaven_plugins.caches.disk.cache import DiskCache

        return DiskCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
