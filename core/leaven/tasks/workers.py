"""The workers that run users' functions: a pool of this host's, which is patient with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven.errors import ParameterError
from leaven.protocols import Transport
from leaven.stream.pool import WorkerPool


def workers_for(
    nworkers: int, transport: Transport | str | Mapping[str, Any], worker_timeout: float = 0.0
) -> WorkerPool:
    """Return a pool that is not started yet; several of its workers may die of what they run, each more than once.

    Raises:
        ParameterError: a value is out of range, or all the workers would be on other hosts.
    """
    restarts = max(10, 4 * nworkers) if isinstance(nworkers, int) else 10
    pool = WorkerPool(nworkers, transport, restarts, worker_timeout)
    if pool.nworkers == 0:
        raise ParameterError("nworkers=0: functions are run by workers of this host; take at least 1")
    return pool
