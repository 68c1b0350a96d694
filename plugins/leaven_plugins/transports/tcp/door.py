"""Door: where those who join connect; closed while descriptors run out."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import socket
import struct
import time

from leaven.errors import TransportError
from leaven_plugins.transports.addresses import Address

log = logging.getLogger("leaven.transport")

_WAITING = 100  # connections that the system keeps for libzmq to take
_SPARE = 64  # descriptors that a worker's start must find free; it takes some 10
_CLOSED = 10.0  # seconds: those who show no key are sent away within 2, and a worker has to start and connect
_ATTACH_FILTER, _DETACH_FILTER = 26, 27  # SO_ATTACH_FILTER, SO_DETACH_FILTER of Linux
_DROP = struct.pack("HBBI", 0x06, 0, 0, 0)  # a BPF program: return 0, so that nothing gets in


class Door:
    """A listening socket that can be closed without an effect on those who have come in.

    Whoever connects takes a descriptor before a key is shown. That there is none for him is harmless; but a worker of
    this machine that connects when there is none ends the program, within libzmq.

    Args:
        address: to listen at.

    Raises:
        TransportError: that is not possible.
    """

    def __init__(self, address: Address) -> None:
        self._opens: float | None = None
        family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if address.is_ipv6:
                self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self._socket.bind(("" if address.host == "*" else address.host, address.port))
            self._socket.listen(_WAITING)
            self._socket.setblocking(False)
        except (OSError, UnicodeError) as error:
            self._socket.close()
            raise TransportError(f"cannot listen at {address}: {error}") from error

    def descriptor(self) -> int:
        """Return a descriptor of the socket, for whoever takes the connections and closes it in the end."""
        return os.dup(self._socket.fileno())

    def make_room(self) -> None:
        """Let nobody new in for a while if there are few descriptors; those who are in stay."""
        if _free_descriptors() >= _SPARE:
            return
        if self._opens is None:
            log.warning("tcp transport: few descriptors are left, so nobody can join for %.0f s", _CLOSED)
            program = ctypes.create_string_buffer(_DROP, len(_DROP))
            self._socket.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(program)))
        self._opens = time.monotonic() + _CLOSED

    def look(self) -> None:
        """Open it again when it is time."""
        if self._opens is not None and time.monotonic() >= self._opens:
            self._opens = None
            self._socket.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)

    def limited(self, timeout: float | None) -> float | None:
        """Return how long to wait, when that would be ``timeout`` with an open door."""
        if self._opens is None:
            return timeout
        left = max(0.001, self._opens - time.monotonic())
        return left if timeout is None else min(left, timeout)

    def close(self) -> None:
        """Give back this end."""
        self._socket.close()


def _free_descriptors() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return limit - len(os.listdir("/proc/self/fd"))
    except OSError:  # none is left to look with
        return 0
