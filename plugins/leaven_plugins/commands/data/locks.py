"""Locks that tell whether another process is at work on the same."""

from __future__ import annotations

import fcntl


def lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed; return false where another process has it locked.

    On file systems without locks, as some network ones are, everybody is told that it is theirs.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
