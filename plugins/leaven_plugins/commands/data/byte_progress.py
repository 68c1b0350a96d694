"""How far downloads have come: a bar for each file on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.data.report import size_text

if TYPE_CHECKING:
    from rich.console import Console

_LINE_SECONDS = 5.0


@contextmanager
def byte_progress(
    console: Console, clock: Callable[[], float] = time.monotonic
) -> Iterator[Callable[[str, int, int | None], None]]:
    """Context that gives a function to call with the name of a file, the bytes that are there, and all, or ``None``.

    Args:
        console: where to show it. On a terminal there are bars, which vanish in the end; elsewhere a line is written
            every 5 seconds.
        clock: returns seconds.
    """
    if not console.is_terminal:
        yield _Lines(clock).show
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield show


class _Lines:
    """Writes a line at most once in so many seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due = clock() + _LINE_SECONDS

    def show(self, name: str, done: int, total: int | None) -> None:
        if self._clock() >= self._due:
            self._due = self._clock() + _LINE_SECONDS
            of = "" if total is None else f" of {size_text(total)}"
            click.echo(f"{name}: {size_text(done)}{of}", err=True)
