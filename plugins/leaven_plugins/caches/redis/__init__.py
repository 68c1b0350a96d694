"""Plugin: a Redis server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.caches.redis.cache import RedisCache as RedisCache


@hookimpl
def leaven_caches() -> Iterable[Component]:
    """Declare ``cache:redis``."""
    yield Component("redis", "leaven_plugins.caches.redis.cache:RedisCache", "a Redis server", extra="leaven[redis]")


def __getattr__(name: str) -> Any:
    if name == "RedisCache":
        from leaven_plugins.caches.redis.cache import RedisCache

        return RedisCache
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
