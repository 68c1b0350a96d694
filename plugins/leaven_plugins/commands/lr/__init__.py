"""Plugin: leaven lr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.commands.lr.sweep import find_rate as find_rate


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:lr``."""
    yield Component("lr", "leaven_plugins.commands.lr.command:lr", "find and plot learning rates")


def __getattr__(name: str) -> Any:
    if name == "find_rate":
        from leaven_plugins.commands.lr.sweep import find_rate

        return find_rate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
