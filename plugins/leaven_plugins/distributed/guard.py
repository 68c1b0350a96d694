"""Becomes another program that the kernel ends with its parent: ``python guard.py PARENT_PID PROGRAM ARGUMENTS...``.

A program of its own, run without ``site`` in 15 ms: code between fork and exec would be a danger in a parent that has
threads, and the program itself may be anybody's. The signal that is armed here outlives the exec.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Arm the signal, and go on as ``command``."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent has gone")
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
