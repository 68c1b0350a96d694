"""Plugin: leaven bench."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:bench``."""
    yield Component("bench", "leaven_plugins.commands.bench.command:bench", "measure how fast batches are made")
