"""Plugin: leaven worker."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:worker``."""
    yield Component(
        "worker", "leaven_plugins.commands.worker.command:worker", "work for a loader on another host, make keys for it"
    )
