"""How loaders are shown: a heading and a table for each, in lines of 80 characters."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from leaven_plugins.commands.top.looking import Loader, Seen

NOTHING = "no loader is running; start one, as in: leaven train CONFIG, or leaven bench loader CONFIG"

_COLUMNS = ("#", "pid", "stage", "sample", "request", "for", "done", "req/s", "CPU %", "MB")
_LONG = 5.0  # seconds on one sample, from which on a person will want to know of it


def view(loaders: Sequence[Loader]) -> RenderableType:
    """Return what is shown of the loaders."""
    if not loaders:
        return Text(NOTHING)
    return Group(*(part for loader in loaders for part in (_heading(loader), _table(loader), Text())))


def _heading(loader: Loader) -> RenderableType:
    count = len(loader.workers)
    remark = f"pid {loader.pid}, {count} worker{'s' * (count != 1)}, running for {duration(loader.seconds)}"
    title = Text(loader.title or "a loader", "bold", no_wrap=True, overflow="ellipsis")
    return Group(title, Text(remark, "dim"))


def _table(loader: Loader) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "stage" else "right", no_wrap=True)
    for seen in loader.workers:
        table.add_row(*(Text(cell) for cell in _cells(seen)), style=_style(seen))
    return table


def _cells(seen: Seen) -> tuple[str, ...]:
    return (
        str(seen.number),
        str(seen.pid) if seen.pid else "",
        _stage(seen),
        _figure(seen.sample),
        _figure(seen.request),
        duration(seen.seconds) if seen.pid else "",
        str(seen.done),
        _figure(seen.requests_per_second),
        _figure(seen.cpu_percent),
        _figure(seen.memory_mb),
    )


def _stage(seen: Seen) -> str:
    if not seen.pid:
        return "none"
    return "ended" if seen.ended else seen.stage


def _style(seen: Seen) -> str:
    if seen.ended:
        return "red"
    if seen.stage == "idle":
        return "dim"
    return "yellow" if seen.seconds > _LONG else ""


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.1f}" if isinstance(value, float) and value < 9.95 else f"{value:.0f}"


def duration(seconds: float) -> str:
    """Return a time in at most 6 characters."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 99.5:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{seconds / 3600:.0f} h"
