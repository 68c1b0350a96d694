"""Processor time of this process's threads: how much of what they could use they had."""

from __future__ import annotations

from pathlib import Path

_TASKS = Path("/proc/self/task")


class Stopwatch:
    """Measures from when it is made. Threads that have ended by the end are left out.

    Args:
        tasks: folder with one folder for each thread.
    """

    def __init__(self, tasks: Path = _TASKS) -> None:
        self._tasks = tasks
        self._began = _by_thread(tasks)

    def share(self) -> float:
        """Return the share of the time in which threads could run that they did; 1 where the system does not tell."""
        now = _by_thread(self._tasks)
        before = {thread: self._began.get(thread, (0, 0)) for thread in now}
        ran = sum(now[thread][0] - before[thread][0] for thread in now)
        queued = sum(now[thread][1] - before[thread][1] for thread in now)
        return ran / (ran + queued) if ran > 0 else 1.0


def _by_thread(tasks: Path) -> dict[str, tuple[int, int]]:
    """Return nanoseconds that each thread has run and queued in its life."""
    found = {}
    for task in tasks.iterdir() if tasks.is_dir() else ():
        try:
            ran, queued, _ = (task / "schedstat").read_text().split()
        except (OSError, ValueError):  # it has ended, or the system does not tell
            continue
        found[task.name] = int(ran), int(queued)
    return found
