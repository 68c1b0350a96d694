"""Waiting for descriptors, of any number: ``select`` ends at 1,024."""

from __future__ import annotations

import select
from collections.abc import Iterable


def readable(fds: Iterable[int], timeout: float | None = None) -> list[int]:
    """Wait up to ``timeout`` seconds (``None``: as long as it takes) and return those of ``fds`` that can be read."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return [fd for fd, _ in poll.poll(None if timeout is None else timeout * 1000)]
