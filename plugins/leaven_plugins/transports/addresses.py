"""Addresses of sockets: which of them can be reached from this machine only."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import NamedTuple

from leaven.errors import TransportError

_TCP = re.compile(r"tcp://(?:\[(?P<six>[^\]]+)\]|(?P<host>[^:\[\]/]+)):(?P<port>\d{1,5}|\*)")


class Address(NamedTuple):
    """A tcp address. ``host`` is a number, a name or ``*``, without brackets; ``port`` 0 takes any that is free."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether it is certain that only programs of this machine can reach it: no name is, but ``localhost``."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_ipv6(self) -> bool:
        """Whether it is one of IP version 6."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"tcp://[{self.host}]:{self.port}" if self.is_ipv6 else f"tcp://{self.host}:{self.port}"


def tcp_address(text: str) -> Address:
    """Return what ``tcp://HOST:PORT`` or ``tcp://[HOST]:PORT`` says.

    Raises:
        TransportError: it is none.
    """
    match = _TCP.fullmatch(text)
    port = 0 if match is None or match["port"] == "*" else int(match["port"])
    if match is None or port > 65_535:
        raise TransportError(f"{text!r} is not an address: tcp://HOST:PORT, as in tcp://127.0.0.1:5555")
    return Address(match["six"] or match["host"], port)


def joined_address(text: str, lookup: bool = True) -> Address:
    """Return the address of one loader, to connect to; with ``lookup`` only where its host is known.

    Raises:
        TransportError: it is none, it is one to listen at, or there is no such host.
    """
    address = tcp_address(text)
    if address.host == "*" or address.port == 0:
        raise TransportError(f"{text!r} is to listen at; to connect, name the loader's host and the port it listens at")
    if lookup:
        family = socket.AF_INET6 if address.is_ipv6 else socket.AF_INET
        try:
            socket.getaddrinfo(address.host, address.port, family, socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not a name"
            raise TransportError(f"cannot connect to {address}: no such host is known here ({reason})") from error
    return address
