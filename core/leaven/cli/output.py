"""What commands print: tables for people, one JSON object for programs."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

_PIPE_WIDTH = 200  # columns of a table that no terminal shows, so that lines stay whole for grep


def console(err: bool = False) -> Console:
    """Return where text for people goes: standard output or, with ``err``, standard error.

    There are colours on a terminal only, and none where ``NO_COLOR`` is set.
    """
    from rich.console import Console  # 40 ms, which --help does without

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(stderr=err, width=width, highlight=False, soft_wrap=False)


def emit_json(result: Mapping[str, Any]) -> None:
    """Print one JSON object on one line, the last one on standard output.

    Paths become strings, numpy numbers plain ones, and numbers that are not finite null, which JSON has no word for.
    """
    click.echo(json.dumps(_finite(result), default=_plain, ensure_ascii=False, allow_nan=False))


def note(text: str) -> None:
    """Print a line on what is going on to standard error; nothing with ``-q``."""
    if not click.get_current_context().find_root().params.get("quiet"):
        click.echo(text, err=True)


def heading(name: str, remark: str) -> Text:
    """Return a line that stands above rows."""
    from rich.text import Text

    return Text.assemble((name, "bold"), "  ", (remark, "dim"))


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Return a table with headings, of plain text: no markup is read from cells.

    The first column is never wrapped, the last takes the room that is left, those between take a quarter at most.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    made = Table(box=SIMPLE_HEAD, pad_edge=False)
    for position, name in enumerate(columns):
        most = console().width // 4 if 0 < position < len(columns) - 1 else None
        made.add_column(name, overflow="fold", no_wrap=position == 0, max_width=most)
    return _filled(made, rows)


def rows_of(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Padding:
    """Return indented rows without headings, and a blank line after them.

    The last column is wrapped; ``widths`` are those of the others, so that several such tables line up.
    """
    from rich.padding import Padding
    from rich.table import Table

    made = Table.grid(padding=(0, 2, 0, 0))
    for width in widths:
        made.add_column(width=width, no_wrap=True)
    made.add_column(overflow="fold")
    return Padding(_filled(made, rows), (0, 0, 1, 2), expand=False)


def _filled(made: Table, rows: Iterable[Sequence[str]]) -> Table:
    from rich.text import Text

    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(part) for part in value]
    return value


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy's numbers and arrays
        return _finite(value.tolist())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    raise TypeError(f"{type(value).__name__} {value!r} cannot be written as JSON")
