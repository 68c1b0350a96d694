"""Plugin: leaven data."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:data``."""
    yield Component(
        "data",
        "leaven_plugins.commands.data.group:data",
        "pack samples into one file, see what is in one, verify it, make its JPEGs quick to decode",
    )
