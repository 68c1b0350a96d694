"""Plugin: leaven gpu."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:gpu``."""
    yield Component("gpu", "leaven_plugins.commands.gpu.command:gpu", "which GPUs there are, and what they do")
