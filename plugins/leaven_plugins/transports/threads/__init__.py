"""Plugin: workers are threads of the loader's process."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_transports() -> Iterable[Component]:
    """Declare ``transport:threads``."""
    yield Component(
        "threads", "leaven_plugins.transports.threads.transport:Threads", "threads, for work that leaves Python's lock"
    )
