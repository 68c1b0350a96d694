"""Plugin: leaven demo."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:demo``."""
    yield Component(
        "demo",
        "leaven_plugins.commands.demo.command:demo",
        "train a small network on handwritten digits, masks, gaze",
    )
