"""Locks that tell whether another process is at work on the same."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


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


def lock_named(descriptor: int, path: Path) -> bool:
    """Do the same for a file that is given another name, or deleted, by whoever has had it locked.

    Returns:
        False as well where that has happened since the file at ``path`` was opened.
    """
    try:
        return lock(descriptor) and os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
