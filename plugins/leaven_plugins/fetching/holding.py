"""One process at a time: whoever comes second waits, and finds what the first has done."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leaven.errors import DatasetError
from leaven_plugins.datasets.locks import lock_named

_PAUSE = 0.05


@contextmanager
def held(path: Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Context in which no other process or thread is in one for the same ``path``, which need not exist.

    The folder is made. A process that is killed holds nothing. On file systems without locks nobody waits.

    Raises:
        DatasetError: nothing can be written there.
    """
    guard = path.with_name(f".{path.name}.lock")
    try:
        guard.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _taken(guard, sleep)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror}: {error.filename}") from error
    try:
        yield
    finally:
        guard.unlink(missing_ok=True)
        os.close(descriptor)


def _taken(guard: Path, sleep: Callable[[float], None]) -> int:
    while True:
        descriptor = os.open(guard, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        if lock_named(descriptor, guard):
            return descriptor
        os.close(descriptor)
        sleep(_PAUSE)
