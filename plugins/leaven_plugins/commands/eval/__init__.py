"""Plugin: leaven eval."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:eval``."""
    yield Component("eval", "leaven_plugins.commands.eval.command:evaluate", "measure a trained network")
