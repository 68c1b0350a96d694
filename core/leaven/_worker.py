"""What a worker process runs: ``python -m leaven._worker MESSAGE_FD LIFELINE_FD PARENT_PID``."""

from __future__ import annotations

import faulthandler
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

_PR_SET_PDEATHSIG = 1


def main(message_fd: int, lifeline_fd: int, parent: int) -> None:
    """Read the start message, set up, answer until told to stop or until the parent has gone."""
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)  # a worker that hangs is asked for its stack
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with open(message_fd, "rb") as file:
        start = file.read()
    lifeline = Lifeline(parent, lifeline_fd, partial(_abandoned, start))
    _serve(_unpacked(start), lifeline)


def _unpacked(start: bytes) -> dict[str, Any]:
    from leaven.stream import wire
    from leaven.stream.messages import LIMIT

    spec: dict[str, Any] = wire.unpack(start, LIMIT)
    sys.path[:] = spec["path"]
    return spec


def _abandoned(start: bytes) -> None:
    """Remove what a loader has left that died before this worker was connected to it."""
    from leaven.registry.recipes import Recipe

    spec = _unpacked(start)
    transport = Recipe.from_plain(spec["transport"]).build()
    if hasattr(transport, "abandoned"):
        transport.abandoned(spec["address"])


def _serve(spec: dict[str, Any], lifeline: Lifeline) -> None:
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
            lifeline.arm()  # the loader has heard of this worker
            for answer in host.handle(message):
                channel.send(answer)
    finally:
        channel.close()


class Lifeline:
    """Ends this process when the parent does.

    A thread watches the parent. Once the worker is connected, the kernel's own signal is armed as well, which works
    even while this process is stuck in C code; but it is tied to the parent's *thread*, comes never if the parent dies
    before it is armed, and leaves no time to remove what a loader that died at its start has left.

    Args:
        parent: its process.
        fd: the end of a pipe whose other end the parent has.
        orphaned: called when the parent has gone before the worker was connected.
    """

    def __init__(self, parent: int, fd: int, orphaned: Callable[[], object]) -> None:
        self._parent = parent
        self._orphaned = orphaned
        self._armed = False
        threading.Thread(target=self._watch, args=(fd,), name="leaven-lifeline", daemon=True).start()

    def arm(self) -> None:
        """The worker is connected: nothing of the parent's has to be removed any more."""
        if self._armed:
            return
        self._armed = True
        if sys.platform == "linux":
            import ctypes

            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._parent:
            os._exit(1)

    def _watch(self, fd: int) -> None:
        poll = select.poll()
        poll.register(fd, select.POLLIN)  # its other end is open in the parent alone, unless the parent forks
        if hasattr(os, "pidfd_open"):
            try:
                poll.register(os.pidfd_open(self._parent), select.POLLIN)
            except ProcessLookupError:
                self._end()
        if os.getppid() == self._parent:
            poll.poll()
        self._end()

    def _end(self) -> None:
        try:
            if not self._armed:
                self._orphaned()
        finally:
            os._exit(1)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:4]))
