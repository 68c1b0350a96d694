"""SharedCache: one copy in shared memory for all processes of a machine."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Mapping
from hashlib import blake2b
from mmap import PAGESIZE
from typing import Any

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.caches.budgets import bytes_of
from leaven_plugins.caches.shared.places import handle_of, leave, of_handle, of_name, without_name
from leaven_plugins.caches.shared.store import DIGEST, LEAST, Store

log = logging.getLogger("leaven.caches")
_OPENING = threading.Lock()


class SharedCache:
    """Keeps bytes in memory that all processes of this machine have in common, until the budget is spent.

    Without a name, the memory is that of the process in which the cache was made and of those that were handed it: the
    workers of a loader, or whoever was sent a pickle. It is gone with the last of them, however they end. With a name,
    processes that were started on their own share it, such as the ranks of a job. The last one removes it; what
    processes leave behind that were all killed is removed when the next named one is made.

    Pages are taken as they are needed, 16 MiB at a time. Where the machine has no more, nothing further is kept, which
    is logged in ``leaven.caches``. What is kept stays until :meth:`clear`.

    A process that is killed at any moment leaves nothing that others would read: a record is complete before it can be
    found, and has a checksum. Processes, and threads of these, may use it at the same time.

    Args:
        budget: size of the memory, in bytes or as text such as ``"4GiB"``. An entry takes 32 bytes and its value, and
            1.6 % go to the table, which is made for entries of 700 bytes or more on average.
        name: letters, digits, ``.``, ``_`` and ``-``. Whoever makes it says how large it is; who comes later takes it
            as it is.
        memory: where another process has it, as :attr:`shared_arguments` says there. Where that has gone, nothing is
            kept.

    Raises:
        ParameterError: the budget is not a size, or below 64 KiB. At the first access: it is not free.
        DatasetError: at the first access: no memory can have a name here.
    """

    def __init__(
        self, budget: int | str = "1GiB", name: str | None = None, memory: Mapping[str, int] | None = None
    ) -> None:
        self.budget = budget
        self.name = name
        self.memory = memory
        self._size = bytes_of(budget, "cache:shared") // PAGESIZE * PAGESIZE
        if self._size < LEAST:
            raise ParameterError(f"cache:shared: budget={budget!r}: at least {LEAST} bytes are needed")
        self._store: Store | None = None
        self._leave: Any = None
        self._is_gone = False

    @property
    def shared_arguments(self) -> Mapping[str, Any]:
        """What a recipe of this cache holds, so that other processes find the same memory; makes it if need be.

        The process that made it has to keep the cache open until they have found it.
        """
        if self.memory is not None:
            return {"memory": self.memory}
        store = self._opened()
        return {"memory": handle_of(store)} if store is not None and self.name is None else {}

    def get(self, key: str) -> bytes | None:
        """Return a copy of what is kept under ``key``, or ``None``."""
        store = self._store or self._opened()
        return None if store is None else store.get(_digest(key))

    def put(self, key: str, value: bytes) -> bool:
        """Keep ``value``, unless there is no room for it; return whether something is kept under ``key``."""
        store = self._store or self._opened()
        return store is not None and store.put(_digest(key), value)

    def clear(self) -> None:
        """Forget everything, for all processes."""
        store = self._opened()
        if store is not None:
            store.clear()

    def close(self) -> None:
        """Give back the memory, which stays for as long as another process has it; the next access opens it again."""
        with _OPENING:
            self._store, self._is_gone = None, False
            leaving, self._leave = self._leave, None
            if leaving is not None:
                leaving()

    def __getstate__(self) -> dict[str, Any]:
        return {"budget": self.budget, "name": self.name, "memory": self.memory, **self.shared_arguments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def _opened(self) -> Store | None:
        with _OPENING:
            if self._store is None and not self._is_gone:
                self._store = self._open()
            return self._store

    def _open(self) -> Store | None:
        if self.memory is not None:
            return self._attached(self.memory)
        if self.name is None:
            return without_name(self._size)
        store, folder, lock = of_name(self.name, self._size)
        self._leave = weakref.finalize(self, leave, folder, lock, os.getpid())
        return store

    def _attached(self, memory: Mapping[str, int]) -> Store | None:
        try:
            return of_handle(memory)
        except (LeavenError, LookupError, TypeError, ValueError) as error:  # also what is no handle at all
            self._is_gone = True  # the samples are still there: training goes on without it
            log.warning("cache:shared: nothing is kept: %s; processes that start later can share it by a name", error)
            return None


def _digest(key: str) -> bytes:
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=DIGEST).digest()
