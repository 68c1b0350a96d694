"""Plugin: leaven train."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:train``."""
    yield Component(
        "train", "leaven_plugins.commands.train.command:train", "train a network as a configuration file says"
    )
