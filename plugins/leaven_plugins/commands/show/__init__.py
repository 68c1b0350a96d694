"""Plugin: leaven show."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:show``."""
    yield Component("show", "leaven_plugins.commands.show.command:show", "pictures of what the network sees")
