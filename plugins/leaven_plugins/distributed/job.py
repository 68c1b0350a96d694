"""A job: the same program several times on this machine, which end together."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

from leaven_plugins.distributed.failures import DistributedError
from leaven_plugins.distributed.member import Member

_GRACE = 5.0  # seconds from SIGTERM to SIGKILL, after a rank has failed
_FAREWELL = 30.0  # the same after Ctrl-C or SIGTERM: ranks may write a snapshot
_OTHERS = 2.0  # seconds for the one to blame to end, after a rank that has lost it


def run_job(argv: Sequence[str], nproc: int, environment: Mapping[str, str], inherit: Sequence[int] = ()) -> None:
    """Run a program ``nproc`` times, with torchrun's variables in the environment; return when all have ended well.

    Ctrl-C, and SIGTERM in the main thread, are passed on to all of them.

    Args:
        argv: the program and its arguments.
        nproc: how many.
        environment: theirs, but for torchrun's variables.
        inherit: descriptors that they get, with the same numbers.

    Raises:
        DistributedError: one has failed; the text names its rank and how it ended, and has the end of what it wrote.
            The others have been ended.
    """
    members: list[Member] = []
    with _meeting_point() as port, _sigterm_as_error():
        try:
            for rank in range(nproc):
                members.append(Member(rank, argv, {**environment, **_variables(rank, nproc, port)}, inherit))  # noqa: PERF401
            _watch(members)
        except KeyboardInterrupt:
            _end(members, signal.SIGINT, _FAREWELL)
            raise
        except _Terminated:
            _end(members, signal.SIGTERM, _FAREWELL)
            raise
        finally:
            try:
                _end(members, signal.SIGTERM, _GRACE)
            finally:
                for member in members:
                    member.close()


class _Terminated(SystemExit):
    """SIGTERM has come."""


def _watch(members: Sequence[Member]) -> None:
    for member in _as_they_end(members, None):
        if member.code:
            culprit = _culprit(member, members)
            error = DistributedError(_text(culprit, len(members)))
            error.exit_code = max(1, culprit.code or 1)
            raise error


def _culprit(failed: Member, members: Sequence[Member]) -> Member:
    """Return who is to blame: a rank that has lost another one may end before that one."""
    if failed.is_victim:
        for member in _as_they_end(members, _OTHERS):
            if member.code and not member.is_victim:
                return member
    return failed


def _text(member: Member, nproc: int) -> str:
    words = member.last_words()
    text = f"rank {member.rank} of {nproc} {member.status()}; the others were ended"
    return f"{text}. The end of what it wrote:\n{words}" if words else text


def _as_they_end(members: Sequence[Member], seconds: float | None) -> Iterator[Member]:
    """Yield those that have ended and those that do so within some time."""
    running = {member.fd: member for member in members}
    until = None if seconds is None else time.monotonic() + seconds
    poll = select.poll()
    for fd in running:
        poll.register(fd, select.POLLIN)
    while running:
        left = None if until is None else max(0.0, until - time.monotonic()) * 1e3
        ended = poll.poll(left)
        if not ended:
            return
        for fd, _ in ended:
            poll.unregister(fd)
            yield running.pop(fd)


def _end(members: Sequence[Member], number: signal.Signals, grace: float) -> None:
    for member in members:
        member.signal(number)
    for _ in _as_they_end(members, grace):
        pass


@contextlib.contextmanager
def _meeting_point() -> Iterator[int]:
    """Run the store in which the ranks find each other, in this process; yield its port on 127.0.0.1.

    As it listens before anybody hears of the port, no other program can get in between, as with a port that was free a
    moment ago. It is what torchrun does, too, so that ``init_process_group`` takes it without being told.
    """
    import torch.distributed as dist

    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        port = server.getsockname()[1]
        store: Any = dist.TCPStore(  # type: ignore[attr-defined]
            "127.0.0.1", port, is_master=True, wait_for_workers=False, master_listen_fd=os.dup(server.fileno())
        )
    try:
        yield port
    finally:
        del store


def _variables(rank: int, nproc: int, port: int) -> dict[str, str]:
    return {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "TORCHELASTIC_USE_AGENT_STORE": "True",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(nproc),
        "LOCAL_WORLD_SIZE": str(nproc),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)) // nproc))),
        # else the name of the host decides, which may be one that nobody can resolve
        "GLOO_SOCKET_IFNAME": os.environ.get("GLOO_SOCKET_IFNAME", "lo"),
    }


@contextlib.contextmanager
def _sigterm_as_error() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _Terminated(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
