"""Options of commands that work with a trained network, and what is built of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from leaven_plugins.commands.train.command import overrides_option

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS = (
    click.argument("path", metavar="RUN|SNAPSHOT", type=click.Path(path_type=Path)),
    overrides_option,
    click.option("--best", is_flag=True, help="Of a run, take the best snapshot, not the last one."),
    click.option("--no-average", is_flag=True, help="Take the weights themselves, not their average."),
    click.option("--device", metavar="D", help="Such as cpu or cuda:1; by default what the experiment says."),
)


def snapshot_options(command: _Command) -> _Command:
    """Add the parameters ``path``, ``overrides``, ``best``, ``no_average`` and ``device``."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def snapshot_at(path: Path, best: bool) -> Path:
    """Return the snapshot that the command line means; a line on standard error for each that is passed over.

    Raises:
        SnapshotError: there is none.
    """
    from leaven.cli.output import note
    from leaven_plugins.snapshots.shelf import find_snapshot

    return find_snapshot("best", path, note) if best else find_snapshot(path, tell=note)


def overrides_with(device: str | None, overrides: tuple[str, ...]) -> tuple[str, ...]:
    """Return the overrides, with one for the device if it was named."""
    return overrides if device is None else (*overrides, f"train.device={device}")
