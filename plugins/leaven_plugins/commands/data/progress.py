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
    what: str, total: int, console: Console, clock: Callable[[], float] = time.monotonic, unit: str = ""
) -> Iterator[Callable[..., None]]:
    """Context that gives a function to call after each of ``total`` steps, or with a number of steps.

    Args:
        what: what is being done, in a word or two.
        total: number of steps.
        console: where to show it. On a terminal a bar is drawn at most 10 times a second and vanishes in the end;
            elsewhere a line is written every 5 seconds.
        clock: returns seconds.
        unit: what the steps are of, where it is to be shown how many there are in a second.
    """

    def say(done: int, rate: float) -> None:
        click.echo(f"{what} {done} of {total}{_rate_text(rate, unit)}", err=True)

    if not console.is_terminal:
        yield _Throttled(say, _LINE_SECONDS, clock).advance
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rates = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rates, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task(what, total=total, rate="")

        def draw(done: int, rate: float) -> None:
            bar.update(task, completed=done, refresh=True, rate=_rate_text(rate, unit))

        yield _Throttled(draw, _BAR_SECONDS, clock).advance


def _rate_text(rate: float, unit: str) -> str:
    return f", {rate:,.0f} {unit}/s" if unit else ""


class _Throttled:
    """Counts, and shows the count, and how many came in a second on average, at most once in so many seconds."""

    def __init__(self, show: Callable[[int, float], None], seconds: float, clock: Callable[[], float]) -> None:
        self._show = show
        self._seconds = seconds
        self._clock = clock
        self._start = clock()
        self._due = self._start + seconds
        self._done = 0

    def advance(self, count: int = 1) -> None:
        self._done += count
        now = self._clock()
        if now >= self._due:
            self._due = now + self._seconds
            self._show(self._done, self._done / (now - self._start))
