"""A Redis server that ends with whoever started it."""

from __future__ import annotations

import os
import shutil
import subprocess
import weakref
from collections.abc import Sequence

from leaven.errors import MissingPackageError

_SECONDS = 5.0  # in which it ends, having nothing to write

# The server is the shell's child, and is told to end when the pipe to the shell is closed: however its owner ended.
_SCRIPT = """
exec 3<&0
redis-server "$@" </dev/null >/dev/null 2>&1 3<&- &
server=$!
{ read _ <&3; kill $server; } 2>/dev/null &
watch=$!
wait $server
status=$?
kill $watch 2>/dev/null
exit $status
"""


class Server:
    """A server that is starting; it ends by itself where another one has its port already.

    Args:
        options: further options, such as where it listens.

    Raises:
        MissingPackageError: there is no ``redis-server``.
    """

    def __init__(self, options: Sequence[str]) -> None:
        if shutil.which("redis-server") is None:
            raise MissingPackageError(
                "cache:redis: start_if_not_running=True needs the program redis-server; install Redis, or start a "
                "server elsewhere",
                name="redis-server",
            )
        command = ["sh", "-c", _SCRIPT, "sh", *options, "--save", "", "--appendonly", "no", "--daemonize", "no"]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,  # Ctrl-C is its owner's business
        )
        self._stop = weakref.finalize(self, _stopped, process, os.getpid())

    def stop(self) -> None:
        """End it; to do so twice is no error."""
        self._stop()


def _stopped(process: subprocess.Popen[bytes], pid: int) -> None:
    if os.getpid() != pid:  # a forked process has a copy of what is its parent's
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
