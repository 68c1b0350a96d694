"""Plugin: measurements every so many steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.hooks.history.hook import History as History


@hookimpl
def leaven_hooks() -> Iterable[Component]:
    """Declare ``hook:history``."""
    yield Component(
        "history",
        "leaven_plugins.hooks.history.hook:History",
        "every so many steps, how good the network is on a few samples",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "History":
        from leaven_plugins.hooks.history.hook import History

        return History
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
