"""leaven top: what the workers of running loaders do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from leaven.cli.options import json_option

if TYPE_CHECKING:
    from leaven_plugins.commands.top.looking import Looks

_MOMENT = 0.5  # seconds over which a single look takes rates


@click.command()
@click.option("--once", is_flag=True, help="Show it once, and end.")
@click.option("--interval", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds between looks.")
@json_option
def top(once: bool, interval: float, as_json: bool) -> None:
    """Show what the workers of running loaders do.

    All loaders of the same user on this machine, those of all users for root. For each worker: its process, the stage
    it is in, the sample and the request it is on and for how long, requests done, and since the last look: requests
    per second and the share of a core; at last resident memory in 10^6 bytes, with the shared memory it has touched.

    On a terminal it goes on until Ctrl-C; otherwise, and with --json, it looks once. The JSON object has the key
    loaders: title, pid, seconds and workers (number, pid, stage, sample, request, seconds, done, cpu_seconds,
    memory_mb, requests_per_second and cpu_percent; null where there is none).
    """
    from leaven.cli.output import console, emit_json
    from leaven_plugins.commands.top.looking import Looks, settled
    from leaven_plugins.commands.top.view import NOTHING, view

    looks = Looks()
    loaders = settled(looks, min(_MOMENT, interval))
    if as_json:
        emit_json({"loaders": [loader.to_plain() for loader in loaders]})
    elif not loaders:
        click.echo(NOTHING)
    elif once or not console().is_terminal:
        console().print(view(loaders))
    else:
        _watch(looks, interval)


def _watch(looks: Looks, interval: float) -> None:
    """Show what there is until Ctrl-C."""
    from rich.live import Live

    from leaven.cli.output import console
    from leaven_plugins.commands.top.view import view

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(view(looks.look()), refresh=True)
                time.sleep(interval)
        except KeyboardInterrupt:
            return
