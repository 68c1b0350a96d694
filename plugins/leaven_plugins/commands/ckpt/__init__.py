"""Plugin: leaven ckpt."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:ckpt``."""
    yield Component("ckpt", "leaven_plugins.commands.ckpt.command:ckpt", "look at snapshots, check and average them")
