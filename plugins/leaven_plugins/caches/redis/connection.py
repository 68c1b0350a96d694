"""Connections to a Redis server: where it is, and how it is reached."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from leaven.errors import DatasetError, MissingPackageError, ParameterError
from leaven_plugins.caches.redis.server import Server

if TYPE_CHECKING:
    from redis import Redis

_TRIES = 10
_BETWEEN = 0.1  # seconds
_TIMEOUT = 5.0  # seconds for an answer; a server of this machine takes 0.1 ms
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Address:
    """Where a server is; see :class:`~leaven_plugins.caches.redis.cache.RedisCache`.

    Raises:
        ParameterError: it is in two places.
    """

    host: str
    port: int
    db: int
    url: str | None
    unix_socket: str | None

    def __post_init__(self) -> None:
        if self.url is not None and self.unix_socket is not None:
            raise ParameterError("cache:redis: url and unix_socket: one of both says where the server is")
        if not isinstance(self.port, int) or not 0 < self.port < 65536:
            raise ParameterError(f"cache:redis: port={self.port!r}: expected a whole number from 1 to 65535")

    def __str__(self) -> str:
        if self.url is not None:
            return self.url.rpartition("@")[2].partition("?")[0]  # without the password, wherever it stands
        return self.unix_socket or f"{self.host}:{self.port}"

    def check_local(self) -> None:
        """Raise a :class:`~leaven.errors.ParameterError` where no server can be started."""
        if self.url is not None or (self.unix_socket is None and self.host not in _LOCAL):
            raise ParameterError(
                f"cache:redis: start_if_not_running=True: a server is started on this machine, and not at {self}; "
                "say host='localhost' with a port, or unix_socket"
            )

    def options(self) -> list[str]:
        """Return what a server is started with."""
        if self.unix_socket is not None:
            return ["--port", "0", "--unixsocket", self.unix_socket, "--unixsocketperm", "700"]
        return ["--port", str(self.port), "--bind", "127.0.0.1", "-::1"]

    def client(self) -> Redis:
        """Return a client, which connects when it is used.

        Raises:
            ParameterError: the URL is none.
        """
        package = redis()
        retry = package.retry.Retry(package.backoff.NoBackoff(), 1)  # a connection that was idle may have been closed
        common = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "retry": retry}
        if self.url is not None:
            try:
                client: Redis = package.Redis.from_url(self.url, **common)
            except ValueError as error:
                raise ParameterError(f"cache:redis: url={str(self)!r}: {error}") from None
            return client
        if self.unix_socket is not None:
            return package.Redis(unix_socket_path=self.unix_socket, db=self.db, **common)  # type: ignore[no-any-return]
        return package.Redis(host=self.host, port=self.port, db=self.db, **common)  # type: ignore[no-any-return]


def connected(address: Address, starts: bool) -> tuple[Redis, Server | None]:
    """Return a client whose server has answered, and the server if it was started for that.

    Raises:
        DatasetError: it cannot be reached.
        MissingPackageError: a package or program is missing.
    """
    client, server = address.client(), None
    problem = _problem(client)
    if problem and starts:
        server = Server(address.options())
    for _ in range(_TRIES * (5 if starts else 1)):
        if not problem:
            return client, server
        time.sleep(_BETWEEN)
        problem = _problem(client)
    client.close()
    if server is not None:
        server.stop()
    advice = "" if starts else "; start redis-server, or say start_if_not_running=True"
    raise DatasetError(f"cache:redis: no server at {address}: {problem}{advice}")


def redis() -> ModuleType:
    """Return the package.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        import redis as package
        import redis.backoff
        import redis.retry
    except ImportError as error:
        raise MissingPackageError("cache:redis needs redis: pip install 'leaven[redis]'", name="redis") from error
    return package


def _problem(client: Redis) -> str:
    """Return why the server does not answer, or nothing."""
    try:
        client.ping()
    except redis().RedisError as error:
        return str(error) or type(error).__name__
    return ""
