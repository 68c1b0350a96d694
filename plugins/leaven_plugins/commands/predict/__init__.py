"""Plugin: leaven predict."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_commands() -> Iterable[Component]:
    """Declare ``command:predict``."""
    yield Component(
        "predict", "leaven_plugins.commands.predict.command:predict", "what a trained network says of images"
    )
