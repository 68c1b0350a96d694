"""Memory of a process and all that it started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")


def tree_pss(pid: int | None = None, proc: Path = _PROC) -> int | None:
    """Return the proportional set size of a process (by default this one) and of its descendants, in bytes.

    A page that n processes share counts as 1/n of a page in each, so the sum counts it once: adding resident set sizes
    would count shared memory once for each worker. ``None`` where the system does not tell.
    """
    found = [_pss(proc / str(each)) for each in _tree(os.getpid() if pid is None else pid, proc)]
    known = [size for size in found if size is not None]
    return sum(known) if known else None


def _tree(pid: int, proc: Path) -> Iterator[int]:
    yield pid
    for thread in _entries(proc / str(pid) / "task"):
        for child in _text(thread / "children").split():
            yield from _tree(int(child), proc)


def _pss(process: Path) -> int | None:
    for line in _text(process / "smaps_rollup").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return None


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:  # it has ended
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # it has ended, or the system has no such file
        return ""
