"""Plugin: workers of this machine, and of other hosts over encrypted tcp."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_transports() -> Iterable[Component]:
    """Declare ``transport:tcp``."""
    yield Component(
        "tcp",
        "leaven_plugins.transports.tcp.transport:Tcp",
        "worker processes, and workers of other hosts (leaven worker)",
    )
