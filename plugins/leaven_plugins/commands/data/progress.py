"""How far a long command has come: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

_BAR_SECONDS = 0.1
_LINE_SECONDS = 5.0


@contextmanager
def progress(
    what: str, total: int, console: Console, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[], None]]:
    """Context that gives a function to call after each of ``total`` steps.

    Args:
        what: what is being done, in a word or two.
        total: number of steps.
        console: where to show it. On a terminal a bar is drawn at most 10 times a second and vanishes in the end;
            elsewhere a line is written every 5 seconds.
        clock: returns seconds.
    """
    if not console.is_terminal:
        lines = _Throttled(lambda done: click.echo(f"{what} {done} of {total}", err=True), _LINE_SECONDS, clock)
        yield lines.advance
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(what, total=total)
        yield _Throttled(lambda done: bar.update(task, completed=done, refresh=True), _BAR_SECONDS, clock).advance


class _Throttled:
    """Counts, and shows the count at most once in so many seconds."""

    def __init__(self, show: Callable[[int], None], seconds: float, clock: Callable[[], float]) -> None:
        self._show = show
        self._seconds = seconds
        self._clock = clock
        self._due = clock() + seconds
        self._done = 0

    def advance(self) -> None:
        self._done += 1
        if self._clock() >= self._due:
            self._due = self._clock() + self._seconds
            self._show(self._done)
