"""What goes wrong among several processes, and who is to blame for it."""

from __future__ import annotations

import re

from leaven.errors import LeavenError, printable

_GONE = re.compile(
    r"connection (closed|reset|refused) by peer|connection was likely closed|broken pipe|timed out waiting|"
    r"application timeout|remote process exited|ncclRemoteError|communicator was aborted",
    re.IGNORECASE,
)


class DistributedError(LeavenError):
    """Processes cannot start, find each other, or agree; the text names the rank."""


class PeerLost(DistributedError):
    """Another rank has gone or does not answer. The cause is that rank's own error, not this one.

    Its exit status tells :mod:`~leaven_plugins.distributed.job` that this process is not the one to blame.
    """

    exit_code = 3


def lost_peer(error: BaseException) -> bool:
    """Return whether an error says that another rank has gone or did not answer in time.

    Gloo has no type of its own for it: what a rank gets in a collective, also within ``backward()``, is a
    ``RuntimeError`` from the socket. NCCL's are ``DistBackendError``, which is one as well.
    """
    return isinstance(error, PeerLost) or (isinstance(error, RuntimeError) and bool(_GONE.search(str(error))))


def as_peer_lost(error: BaseException, rank: int, size: int, doing: str) -> PeerLost:
    """Return the error to raise in its place."""
    return PeerLost(
        f"rank {rank} of {size}: {doing}: another rank has gone, or did not answer in time; look for its own error, "
        f"which comes before this one ({printable(str(error), 160)})"
    )
