"""RedisCache: bytes in a Redis server."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from leaven.errors import DatasetError, ParameterError
from leaven_plugins.caches.functions import function_of
from leaven_plugins.caches.redis.connection import Address, connected, redis
from leaven_plugins.caches.redis.server import Server

if TYPE_CHECKING:
    from redis import Redis

log = logging.getLogger("leaven.caches")

_OPENING = threading.Lock()
_PAUSE = 5.0  # seconds for which a server that did not answer is not asked again
_AT_ONCE = 1000  # keys


class RedisCache:
    """Keeps bytes in a Redis server, which processes of several machines may have in common.

    Keys are those of a namespace: nothing else that the server holds is touched. Where it has no more memory (its
    ``maxmemory``), or does not answer, nothing is kept and nothing is found, which is logged once in
    ``leaven.caches``; it is asked again after 5 seconds. Only one that cannot be reached at the first access is an
    error.

    Args:
        host: of the server.
        port: of the server.
        db: number of its database.
        start_if_not_running: whether to start ``redis-server`` on this machine if nobody answers. It listens on this
            machine only, writes nothing to the disk, and ends when the process that started it closes the cache or
            ends. Of several processes that start one at the same time, one succeeds.
        namespace: what the keys begin with; ``None`` for ``samples``.
        encode: an importable function from bytes to bytes, or its name such as ``"zlib:compress"``, that is applied to
            what is sent.
        decode: its inverse, for what is received.
        ttl: seconds after which an entry is forgotten; ``None`` for never.
        url: address of the server in the form ``redis://user:password@host:port/db``, in place of ``host``, ``port``
            and ``db``.
        unix_socket: path of the server's socket, in place of ``host`` and ``port``.

    Raises:
        ParameterError: these do not go together.
        MissingPackageError: at the first access: redis is not installed, or is no ``redis-server`` to be started.
        DatasetError: at the first access: the server cannot be reached.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 6379,
        db: int = 0,
        start_if_not_running: bool = False,
        namespace: str | None = None,
        encode: Callable[[bytes], bytes] | str | None = None,
        decode: Callable[[bytes], bytes] | str | None = None,
        ttl: int | None = None,
        url: str | None = None,
        unix_socket: str | None = None,
    ) -> None:
        if (encode is None) != (decode is None):
            raise ParameterError("cache:redis: encode and decode go together: one undoes what the other does")
        if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, int) or ttl < 1):
            raise ParameterError(f"cache:redis: ttl={ttl!r}: expected seconds, a whole number of at least 1")
        self._address = Address(host, port, db, url, unix_socket)
        if start_if_not_running:
            self._address.check_local()
        self._starts = start_if_not_running
        self._prefix = f"leaven:{quote(namespace or 'samples', safe='')}:".encode()
        self._encode = None if encode is None else function_of(encode, "cache:redis: encode")
        self._decode = None if decode is None else function_of(decode, "cache:redis: decode")
        self._ttl = ttl
        self._client: Redis | None = None
        self._server: Server | None = None
        self._silent_until = 0.0
        self._has_warned = False

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, or ``None``."""
        value: bytes | None = self._asked(lambda client: client.get(self._name(key)))
        if value is None or self._decode is None:
            return value
        try:
            return bytes(self._decode(value))
        except Exception as error:  # whatever was put there by something else
            self._warn(error)
            return None

    def put(self, key: str, value: bytes) -> bool:
        """Keep ``value``, if the server has room for it; return whether something is kept under ``key``."""
        content = value if self._encode is None else self._encode(value)
        exists = b"exists"
        answer = self._asked(lambda client: client.set(self._name(key), content, nx=True, ex=self._ttl) or exists)
        return answer is not None

    def clear(self) -> None:
        """Remove all keys of the namespace, also those of other processes, and no others.

        Raises:
            DatasetError: the server does not answer.
        """
        client = self._opened()
        try:
            names = client.scan_iter(self._prefix + b"*", count=_AT_ONCE)
            while some := list(islice(names, _AT_ONCE)):
                client.unlink(*some)
        except redis().RedisError as error:
            raise DatasetError(f"cache:redis: {self._address}: cannot be cleared: {error}") from error

    def close(self) -> None:
        """Close the connections, and end the server if it was started here; the next access opens them again."""
        with _OPENING:
            client, self._client = self._client, None
            server, self._server = self._server, None
            self._silent_until, self._has_warned = 0.0, False
            if client is not None:
                client.close()
            if server is not None:
                server.stop()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_client": None, "_server": None}

    def _opened(self) -> Redis:
        with _OPENING:
            if self._client is None:
                self._client, self._server = connected(self._address, self._starts)
            return self._client

    def _name(self, key: str) -> bytes:
        return self._prefix + key.encode("utf-8", "surrogatepass")

    def _asked(self, command: Callable[[Redis], Any]) -> Any:
        """Return the server's answer, or ``None`` where there is none: samples are still where they come from."""
        if self._silent_until > time.monotonic():
            return None
        client = self._client or self._opened()
        try:
            return command(client)
        except redis().RedisError as error:
            self._warn(error)
            if isinstance(error, redis().ConnectionError | redis().TimeoutError):
                self._silent_until = time.monotonic() + _PAUSE
            return None

    def _warn(self, error: Exception) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning("cache:redis: %s: %s; samples are read from where they are", self._address, error)
