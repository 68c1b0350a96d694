"""What was measured, as text for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from leaven.cli.output import table
from leaven_plugins.commands.eval.measuring import Measured
from leaven_plugins.commands.train.trained import Trained


def lines_of(trained: Trained, data: str, found: Measured) -> Iterator[str]:
    """Yield what was measured on what."""
    averaged = ", averaged weights" if trained.averaged else ""
    yield f"snapshot  {trained.snapshot} (epoch {trained.epoch}{averaged})"
    yield f"data      {data} ({found.images:,} images)"


def tables_of(found: Measured) -> Iterator[Table]:
    """Yield a table of the values over all classes, and, where there are any, one of those by class."""
    by_class = found.by_class
    single = {f"{name}_{number}" for name, values in by_class.items() for number in values}
    rows = [
        (name, f"{value:.4g}", _interval(found, name)) for name, value in found.values.items() if name not in single
    ]
    yield table(("name", "value", "95 % interval"), rows)
    if by_class:
        classes = sorted({number for values in by_class.values() for number in values})
        yield table(("class", *by_class), [(_name(found, number), *_row(by_class, number)) for number in classes])


def _interval(found: Measured, name: str) -> str:
    low, high = found.intervals.get(name, (None, None))
    return "" if low is None else f"{low:.1%} to {high:.1%}"


def _row(by_class: dict[str, dict[int, float]], number: int) -> Iterator[str]:
    for values in by_class.values():
        yield f"{values[number]:.4g}" if number in values else ""


def _name(found: Measured, number: int) -> str:
    name = found.names[number] if number < len(found.names) else str(number)
    return name if name == str(number) else f"{number} {name}"
