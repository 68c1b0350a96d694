"""Plugin: processes on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.engines.local.engine import LocalEngine as LocalEngine


@hookimpl
def leaven_engines() -> Iterable[Component]:
    """Declare ``engine:local``."""
    yield Component("local", "leaven_plugins.engines.local.engine:LocalEngine", "processes on this machine")


def __getattr__(name: str) -> Any:
    if name == "LocalEngine":
        from leaven_plugins.engines.local.engine import LocalEngine

        return LocalEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
