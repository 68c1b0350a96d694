"""Plugin: leaven export."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:export``."""
    yield Component("export", "leaven_plugins.commands.export.command:export", "a trained network for other programs")
