"""What a worker process runs: ``python -m leaven._worker MESSAGE_FD LIFELINE_FD PARENT_PID``."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import sys
import threading
from typing import Any

_PR_SET_PDEATHSIG = 1


def main(message_fd: int, lifeline_fd: int, parent: int) -> None:
    """Read the start message, set up, answer until told to stop or until the parent has gone."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # a worker that hangs is asked for its stack
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(parent, lifeline_fd)
    with open(message_fd, "rb") as file:
        start = file.read()

    from leaven.stream import wire
    from leaven.stream.messages import LIMIT

    spec = wire.unpack(start, LIMIT)
    sys.path[:] = spec["path"]
    _serve(spec)


def _serve(spec: dict[str, Any]) -> None:
    from leaven.registry.recipes import Recipe
    from leaven.stream.board import Board
    from leaven.stream.failpoints import failpoint
    from leaven.stream.messages import STOP
    from leaven.stream.serving import Host

    line = Board(spec["workers"], fd=spec["board"]).line(spec["number"])
    line.start(os.getpid())
    failpoint("worker.starting")
    channel = Recipe.from_plain(spec["transport"]).build().connect(spec["address"])
    try:
        host = Host(line)
        for lane, content in spec["lanes"].items():
            channel.send(host.opened(int(lane), content))
        line.rest()
        while (message := channel.receive()) not in (None, STOP):
            for answer in host.handle(message):
                channel.send(answer)
    finally:
        channel.close()


def _die_with(parent: int, lifeline_fd: int) -> None:
    """End when the parent does.

    The kernel's signal works even while this process is stuck in C code, but it is tied to the parent's *thread* and
    comes never if the parent dies before it is armed: so look afterwards, and watch the parent's process as well.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=_watch, args=(parent, lifeline_fd), name="leaven-lifeline", daemon=True).start()


def _watch(parent: int, lifeline_fd: int) -> None:
    fds = [lifeline_fd]  # its other end is open in the parent alone, unless the parent forks
    if hasattr(os, "pidfd_open"):
        fds.append(os.pidfd_open(parent))
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    poll.poll()
    os._exit(1)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
