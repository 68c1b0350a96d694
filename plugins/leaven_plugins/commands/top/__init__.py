"""Plugin: leaven top."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:top``."""
    yield Component("top", "leaven_plugins.commands.top.command:top", "show what the workers of running loaders do")
