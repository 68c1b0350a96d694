"""Plugin: the worker runs in the consumer's own thread."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_transports() -> Iterable[Component]:
    """Declare ``transport:inline``."""
    yield Component(
        "inline", "leaven_plugins.transports.inline.transport:Inline", "the loader's own process, for debugging"
    )
