"""Sockets of tcp: encrypted, limited, and quick to notice that the other side has gone."""

from __future__ import annotations

import zmq

from leaven.errors import TransportError
from leaven_plugins.transports.addresses import Address
from leaven_plugins.transports.tcp.door import Door
from leaven_plugins.transports.tcp.keys import Keyring, WorkerKeys

Socket = zmq.Socket[bytes]

LIMIT = 256 << 20
"""Bytes of a message at most."""

PING = b"\0"
"""What a loader says to see whether a worker is there; it wants no answer."""

PATIENCE = 3.0
"""Seconds without a sign of life after which the other side counts as gone. A message must get through in less."""

LINGER = 200
"""Milliseconds that closing takes at most, for what was said last: to stop, or why this worker ends."""

_PROOF = 2_000  # ms to show a key: who shows none holds a descriptor of the loader's for as long
_CONNECT = 5_000  # ms that connecting takes at most, and the handshake as seen from there
_RETRY = -1  # no new connection of its own: the worker at the other end would be another one
_HEARTBEAT = 1_000  # ms


def listening(
    context: zmq.Context[Socket], address: Address, door: Door, keys: Keyring, queue: int, patience: float
) -> Socket:
    """Return a ROUTER socket behind a door, that lets nobody in whom a :class:`~.guard.Guard` does not know.

    Raises:
        TransportError: the address cannot be bound.
    """
    socket = context.socket(zmq.ROUTER)
    _prepare(socket, address, queue, patience)
    socket.set(zmq.HANDSHAKE_IVL, _PROOF)
    socket.set(zmq.CURVE_SERVER, 1)
    socket.set(zmq.CURVE_SECRETKEY, keys.pair.secret)
    socket.set(zmq.ZAP_DOMAIN, b"leaven")
    socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)  # without anybody to ask, nobody gets in
    socket.set(zmq.ROUTER_MANDATORY, 1)  # to send to who has gone is an error, and how that is noticed
    socket.set(zmq.ROUTER_HANDOVER, 0)  # nobody takes over another's connection
    socket.set(zmq.USE_FD, door.descriptor())
    host = "127.0.0.1" if address.host == "localhost" else address.host
    try:
        socket.bind(str(address._replace(host=host)))
    except zmq.ZMQError as error:
        socket.close()
        raise TransportError(f"cannot listen at {address}: {error}") from error
    return socket


def connected(
    context: zmq.Context[Socket], address: Address, keys: WorkerKeys, patience: float
) -> tuple[Socket, Socket]:
    """Return a DEALER socket that connects to a loader, and the socket that tells what becomes of the connection.

    Raises:
        TransportError: that is no address to connect to.
    """
    socket = context.socket(zmq.DEALER)
    _prepare(socket, address, 0, patience)
    socket.set(zmq.CURVE_SERVERKEY, keys.loader)
    socket.set(zmq.CURVE_SECRETKEY, keys.pair.secret)
    socket.set(zmq.CURVE_PUBLICKEY, keys.pair.public)
    socket.set(zmq.CONNECT_TIMEOUT, _CONNECT)
    socket.set(zmq.HANDSHAKE_IVL, _CONNECT)
    socket.set(zmq.RECONNECT_IVL, _RETRY)
    events = socket.get_monitor_socket(
        zmq.EVENT_HANDSHAKE_SUCCEEDED
        | zmq.EVENT_HANDSHAKE_FAILED_AUTH
        | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
        | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
        | zmq.EVENT_DISCONNECTED
        | zmq.EVENT_CLOSED
    )
    try:
        socket.connect(str(address))
    except zmq.ZMQError as error:
        raise TransportError(f"cannot connect to {address}: {error}") from error
    return socket, events


def _prepare(socket: Socket, address: Address, queue: int, patience: float) -> None:
    """Set what both sides have in common; ``queue`` messages wait for or from each peer, 0: any number."""
    socket.set(zmq.IPV6, int(address.is_ipv6))
    socket.set(zmq.LINGER, LINGER)
    socket.set(zmq.SNDHWM, queue)
    socket.set(zmq.RCVHWM, queue)
    socket.set(zmq.MAXMSGSIZE, LIMIT)
    socket.set(zmq.HEARTBEAT_IVL, _HEARTBEAT)
    socket.set(zmq.HEARTBEAT_TIMEOUT, int(patience * 1000))
    socket.set(zmq.TCP_KEEPALIVE, 1)  # for the firewalls in between, which forget what is silent for long
