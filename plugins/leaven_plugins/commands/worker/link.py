"""Link: one worker's connection to a loader on another host."""

from __future__ import annotations

import zmq
from zmq.utils.monitor import recv_monitor_message

from leaven.errors import TransportError
from leaven_plugins.transports.addresses import Address
from leaven_plugins.transports.rejects import Rejects
from leaven_plugins.transports.tcp.keys import WorkerKeys
from leaven_plugins.transports.tcp.sockets import LINGER, PING, Socket, connected

_UNREAD = 1_000  # messages that one call takes in


class Link:
    """A connection to a loader: made once; where it fails or ends, a new one has to be made.

    Args:
        context: of the sockets.
        address: of the loader.
        keys: of this host.
        patience: seconds without a sign of life after which the loader counts as gone.

    Attributes:
        up: whether the loader has let this worker in.
        down: why the connection is no more, or ``""``.
    """

    def __init__(self, context: zmq.Context[Socket], address: Address, keys: WorkerKeys, patience: float) -> None:
        self.up = False
        self.down = ""
        self._rejects = Rejects(f"worker at {address}")
        self._socket, self._events = connected(context, address, keys, patience)

    @property
    def sources(self) -> list[Socket]:
        """The sockets to wait for."""
        return [self._socket, self._events]

    def look(self) -> None:
        """Take note of what has become of the connection.

        Raises:
            TransportError: the loader does not know this host's key.
        """
        while True:
            try:
                event = recv_monitor_message(self._events, zmq.NOBLOCK)
            except zmq.Again:
                return
            self._note(zmq.Event(event["event"]))

    def send(self, message: bytes) -> None:
        """Send a message; where the connection is no more it is dropped, as nobody waits for it."""
        try:
            self._socket.send(message, zmq.NOBLOCK)
        except zmq.Again:
            self.down = self.down or "the connection has ended"

    def receive(self) -> list[bytes]:
        """Return the messages that have arrived."""
        found = []
        for _ in range(_UNREAD):
            try:
                frames = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            if len(frames) != 1:
                self._rejects.add(f"{len(frames)} frames")
            elif frames[0] != PING:
                found.append(frames[0])
        return found

    def close(self) -> None:
        """Close it; what was said last has a moment to get through."""
        self._socket.disable_monitor()
        self._events.close()
        self._socket.close(linger=LINGER)

    def _note(self, event: zmq.Event) -> None:
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.up = True
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            raise TransportError(
                "the loader does not know this host's key: there is no .pub file of it in its 'workers'"
            )
        elif event == zmq.EVENT_CLOSED:
            self.down = self.down or "nobody listens there"
        elif event == zmq.EVENT_DISCONNECTED:
            self.down = self.down or "the connection has ended"
        else:
            self.down = "the handshake failed: it is another loader than that of loader.pub, or none"
