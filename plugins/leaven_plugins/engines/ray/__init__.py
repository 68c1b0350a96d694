"""Plugin: a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.engines.ray.engine import RayEngine as RayEngine


@hookimpl
def leaven_engines() -> Iterable[Component]:
    """Declare ``engine:ray``."""
    yield Component("ray", "leaven_plugins.engines.ray.engine:RayEngine", "a Ray cluster", extra="leaven[ray]")


def __getattr__(name: str) -> Any:
    if name == "RayEngine":
        from leaven_plugins.engines.ray.engine import RayEngine

        return RayEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
