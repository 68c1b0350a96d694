"""Tcp: workers of this machine as the zeromq transport has them, and those of other hosts that join."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import zmq

from leaven.errors import ParameterError, TransportError
from leaven.protocols import Channel
from leaven_plugins.transports.addresses import tcp_address
from leaven_plugins.transports.folders import PrivateFolder
from leaven_plugins.transports.tcp.door import Door
from leaven_plugins.transports.tcp.guard import Guard
from leaven_plugins.transports.tcp.keys import Keyring, LoaderKeys, OwnKeys
from leaven_plugins.transports.tcp.peers import Peers
from leaven_plugins.transports.tcp.sockets import LINGER, PATIENCE, Socket, listening
from leaven_plugins.transports.zeromq.transport import ZeroMQ

log = logging.getLogger("leaven.transport")

_LEAST, _MOST = 0.1, 86_400.0  # seconds of patience


class Tcp:
    """Workers in processes of their own, of this machine and of others.

    Everything over tcp is encrypted, and only who has a key that is listed gets in. Peers that join have numbers from
    ``nworkers`` on, which are never used again.

    Args:
        listen: where workers join, ``tcp://HOST:PORT``; port 0 takes any that is free, see :attr:`endpoint`.
        keys: the folder ``loader`` that ``leaven worker keygen`` has written. Without it there are new keys for each
            run, in a folder that only this user can read, and ``listen`` must be a loopback address.
        queue: messages that wait for a worker at most.
        patience: seconds without a sign of life after which a worker of another host counts as gone; a message must
            get through in less.

    Raises:
        TransportError: ``listen`` is not an address.
        ParameterError: ``queue`` or ``patience`` is out of its range, or something else than a number.
    """

    in_process = False
    concurrent = True
    joins = True
    """Whether others than the workers that were asked for may join."""

    def __init__(
        self, listen: str = "tcp://127.0.0.1:0", keys: str | None = None, queue: int = 8, patience: float = PATIENCE
    ) -> None:
        if isinstance(patience, bool) or not isinstance(patience, int | float) or not _LEAST <= patience <= _MOST:
            raise ParameterError(f"patience={patience!r}: expected seconds, {_LEAST} to {_MOST:.0f}")
        self._address = tcp_address(listen)
        self._keys = keys
        self._queue = queue
        self._patience = patience
        self._local = ZeroMQ(queue)
        self._nworkers = 0
        self._folder: PrivateFolder | None = None
        self._context: zmq.Context[Socket] | None = None
        self._router: Socket | None = None
        self._door: Door | None = None
        self._guard: Guard | None = None
        self._peers: Peers | None = None

    @property
    def endpoint(self) -> str:
        """The address that is listened at, with its port; ``""`` while it is not open."""
        return "" if self._router is None else bytes(self._router.get(zmq.LAST_ENDPOINT)).rstrip(b"\0").decode()

    @property
    def run_keys(self) -> Path | None:
        """The folder of keys that workers of this machine join with; ``None`` where there are keys of ``keygen``."""
        return None if self._folder is None else self._folder.path

    def open(self, nworkers: int, handlers: Sequence[Callable[[bytes], Iterable[bytes]]] | None = None) -> None:
        """Bind the sockets.

        Raises:
            TransportError: without keys, the address is not a loopback one; it cannot be bound; the keys cannot be
                read; a folder for sockets cannot be made.
        """
        if self._keys is None and not self._address.is_loopback:
            raise TransportError(
                f"tcp transport: {self._address} can be reached by other hosts, and there are no keys; make some with "
                "'leaven worker keygen FOLDER' and give keys='FOLDER/loader', or listen at 127.0.0.1"
            )
        self._nworkers = nworkers
        self._local.open(nworkers)
        try:
            self._listen(self._keyring())
        except BaseException:
            self.close()
            raise
        shown = self.run_keys or "KEYS"
        log.info("more workers may join: leaven worker --connect %s --keys %s", self.endpoint, shown)

    def renew(self, worker: int) -> None:
        """Get ready for the successor of a worker of this machine."""
        if self._door is not None:
            self._door.make_room()
        self._local.renew(worker)

    def address(self, worker: int) -> Mapping[str, Any]:
        """Return what the process of a worker of this machine needs to connect."""
        return self._local.address(worker)

    def connect(self, address: Mapping[str, Any]) -> Channel:
        """Return the end of a worker of this machine."""
        return self._local.connect(address)

    def abandoned(self, address: Mapping[str, Any]) -> None:
        """Remove what a loader has left that has died before its workers were connected."""
        self._local.abandoned(address)

    def send(self, worker: int, message: bytes) -> bool:
        """Hand over a message without waiting; ``False`` where the worker takes none now, or has gone.

        Raises:
            TransportError: it is closed, or the message is too long for another host.
        """
        if worker < self._nworkers:
            return self._local.send(worker, message)
        if self._peers is None:
            raise TransportError("tcp transport: it is closed")
        return self._peers.send(worker, message)

    def receive(self) -> list[tuple[int, bytes]]:
        """Return all messages that have arrived; what is malformed is counted and dropped."""
        if self._peers is None:
            return []
        return self._local.receive() + self._peers.receive()

    def wait(self, fds: Sequence[int], timeout: float | None) -> list[int]:
        """Wait for ``fds``, for messages, for somebody who joins, and to see who has gone."""
        if self._peers is None or self._guard is None or self._router is None or self._door is None:
            return self._local.wait(fds, timeout)
        self._peers.look()
        sources: list[int | Socket] = [*fds, self._guard.socket, self._router]
        self._door.look()
        ready = self._local.poll(sources, self._door.limited(self._peers.limited(timeout)))
        if self._guard.socket in ready:
            self._guard.answer()
        return [fd for fd in ready if isinstance(fd, int)]

    def gone(self) -> list[int]:
        """Return the numbers of the workers of other hosts that have gone since the last call."""
        return [] if self._peers is None else self._peers.gone()

    def blame(self, worker: int) -> None:
        """Count a message of a worker of another host that was none; after the third it is dropped, as if gone."""
        if self._peers is not None:
            self._peers.blame(worker)

    def close(self) -> None:
        """Close the sockets. What was said last, such as to stop, has a moment to get through."""
        self._local.close()
        if self._context is not None:
            self._context.destroy(linger=LINGER)
        if self._door is not None:
            self._door.close()
        self._context = self._router = self._door = self._guard = self._peers = None
        if self._folder is not None:
            self._folder.remove()
            self._folder = None

    def _keyring(self) -> Keyring:
        if self._keys is not None:
            return LoaderKeys(self._keys)
        self._folder = PrivateFolder()
        return OwnKeys(self._folder.path)

    def _listen(self, keys: Keyring) -> None:
        self._context = zmq.Context()
        self._guard = Guard(self._context, keys)
        self._door = Door(self._address)
        self._router = listening(self._context, self._address, self._door, keys, self._queue, self._patience)
        self._peers = Peers(self._router, self._nworkers)
