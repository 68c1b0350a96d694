"""Plugin: messages over ZeroMQ sockets in a private folder."""

from __future__ import annotations

from collections.abc import Iterable

from leaven import Component, hookimpl


@hookimpl
def leaven_transports() -> Iterable[Component]:
    """Declare ``transport:zeromq``."""
    yield Component(
        "zeromq", "leaven_plugins.transports.zeromq.transport:ZeroMQ", "worker processes, over ZeroMQ ipc sockets"
    )
