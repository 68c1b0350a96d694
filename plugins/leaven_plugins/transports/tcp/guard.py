"""Guard: says to ZeroMQ which keys may connect. It answers within the transport's own wait, without a thread."""

from __future__ import annotations

import zmq
from zmq.utils import z85

from leaven_plugins.transports.tcp.keys import Keyring

_FIELDS = 6  # of a request, before the credentials: version, request, domain, address, identity, mechanism


class Guard:
    """Answers the requests of ZAP (ZeroMQ RFC 27) that the sockets of ``context`` ask before they let anybody in.

    Args:
        context: that of the sockets.
        keys: who may connect.
    """

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], keys: Keyring) -> None:
        self._keys = keys
        self.socket: zmq.Socket[bytes] = context.socket(zmq.REP)
        self.socket.set(zmq.LINGER, 0)
        self.socket.bind("inproc://zeromq.zap.01")

    def answer(self) -> None:
        """Answer all requests that have come; the connections wait for that."""
        while True:
            try:
                request = self.socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            version, number = request[:2]
            name = self._name(request)
            verdict = (b"200", b"OK", name.encode()) if name is not None else (b"400", b"unknown key", b"")
            self.socket.send_multipart([version, number, *verdict, b""])

    def _name(self, request: list[bytes]) -> str | None:
        """Return the name of who asks; ``None`` where it may not get in."""
        if len(request) != _FIELDS + 1 or request[_FIELDS - 1] != b"CURVE":
            return None
        return self._keys.name_of(z85.encode(request[_FIELDS]))
