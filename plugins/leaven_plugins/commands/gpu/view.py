"""How GPUs are shown: a table, in lines of 80 characters."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from leaven_plugins.devices.gpus import Gpu

_COLUMNS = ("#", "model", "used MiB", "free MiB", "GPU %", "°C", "W")
_HOT = 85  # degrees Celsius, from where on most models slow themselves down


def view(gpus: Sequence[Gpu]) -> Table:
    """Return a table with a line for each GPU."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in _COLUMNS:
        table.add_column(column, justify="left" if column == "model" else "right", no_wrap=True)
    for gpu in gpus:
        table.add_row(*(Text(cell) for cell in _cells(gpu)), style=_style(gpu))
    return table


def _cells(gpu: Gpu) -> tuple[str, ...]:
    return (
        str(gpu.index),
        gpu.name,
        str(gpu.used_mib),
        str(gpu.free_mib),
        _figure(gpu.utilisation),
        _figure(gpu.temperature),
        _figure(gpu.power),
    )


def _style(gpu: Gpu) -> str:
    if gpu.temperature is not None and gpu.temperature >= _HOT:
        return "yellow"
    return "" if gpu.utilisation else "dim"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.0f}"
