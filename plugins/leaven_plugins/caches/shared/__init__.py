"""Plugin: one copy in shared memory for all processes of a machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.caches.shared.cache import SharedCache as SharedCache


@hookimpl
def leaven_caches() -> Iterable[Component]:
    """Declare ``cache:shared``."""
    yield Component(
        "shared",
        "leaven_plugins.caches.shared.cache:SharedCache",
        "one copy in shared memory for all processes of a machine",
    )


def __getattr__(name: str) -> Any:
    if name == "SharedCache":
        from leaven_plugins.caches.shared.cache import SharedCache

        return SharedCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
