"""Plugin: no log at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.loggers.silent.logger import SilentLogger as SilentLogger


@hookimpl
def leaven_loggers() -> Iterable[Component]:
    """Declare ``logger:silent``."""
    yield Component("silent", "leaven_plugins.loggers.silent.logger:SilentLogger", "writes nothing")


def __getattr__(name: str) -> Any:
    if name == "SilentLogger":
        from leaven_plugins.loggers.silent.logger import SilentLogger

        return SilentLogger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
