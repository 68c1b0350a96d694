"""Plugin: leaven lr."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:lr``."""
    yield Component("lr", "leaven_plugins.commands.lr.command:lr", "find and plot learning rates")
