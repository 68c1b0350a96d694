"""MemoryCache: bytes in the memory of this process."""

from __future__ import annotations

import threading
from typing import Any

from leaven_plugins.caches.budgets import bytes_of

_OVERHEAD = 250  # bytes that an entry takes besides key and value: two objects and its place in the dict


class MemoryCache:
    """Keeps bytes in the memory of this process, until the budget is spent. What is kept stays.

    Nothing is dropped for something newer: training takes every sample once in each epoch, in another order each time,
    so whatever was used last is what is needed last. Measured with room for half of the samples: what drops the oldest
    finds 15 % of them, what keeps those that came first finds 50 %.

    Threads may use it at the same time. Each process has one of its own: of ``n`` workers each keeps what it has read,
    up to the budget. ``shared`` keeps one copy for all of them.

    Args:
        budget: how much it may keep, in bytes or as text such as ``"4GiB"``.

    Raises:
        ParameterError: the budget is not a size.
    """

    def __init__(self, budget: int | str = "1GiB") -> None:
        self.budget = budget
        self._limit = bytes_of(budget, "cache:memory")
        self._kept: dict[str, bytes] = {}
        self._used = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> bytes | None:
        """Return what is kept under ``key``, or ``None``."""
        return self._kept.get(key)

    def put(self, key: str, value: bytes) -> bool:
        """Keep ``value``, unless there is no room for it; return whether something is kept under ``key``."""
        size = len(key) + len(value) + _OVERHEAD
        with self._lock:
            if key in self._kept:
                return True
            if self._used + size > self._limit:
                return False
            self._kept[key] = value
            self._used += size
            return True

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept = {}
            self._used = 0

    def close(self) -> None:
        """Give back the memory, and with it everything that is kept."""
        self.clear()

    def __getstate__(self) -> dict[str, Any]:
        return {"budget": self.budget}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]
