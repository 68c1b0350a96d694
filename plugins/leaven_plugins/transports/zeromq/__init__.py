"""Plugin: messages over ZeroMQ sockets in a private folder; a forwarder between sockets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.transports.zeromq.proxy import Proxy as Proxy


@hookimpl
def leaven_transports() -> Iterable[Component]:
    """Declare ``transport:zeromq``."""
    yield Component(
        "zeromq", "leaven_plugins.transports.zeromq.transport:ZeroMQ", "worker processes, over ZeroMQ ipc sockets"
    )


def __getattr__(name: str) -> Any:
    if name == "Proxy":
        from leaven_plugins.transports.zeromq.proxy import Proxy

        return Proxy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
