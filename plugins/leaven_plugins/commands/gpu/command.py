"""leaven gpu: which GPUs there are, and what they do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from leaven.cli.options import json_option

if TYPE_CHECKING:
    from leaven_plugins.devices.gpus import Gpu


@click.command()
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C (on a terminal).")
@click.option("--interval", type=click.FloatRange(0.1), default=1.0, show_default=True, help="Seconds between looks.")
@json_option
def gpu(watch: bool, interval: float, as_json: bool) -> None:
    """Show the GPUs that programs started here would see, and what they do.

    For each: its number (cuda:NUMBER, as CUDA_VISIBLE_DEVICES says), the model, memory in MiB, temperature,
    utilisation and power, as NVIDIA's driver tells them. Where there is no GPU a line says why.

    The JSON object has the keys gpus (index, number as nvidia-smi has it, name, total_mib, free_mib, used_mib,
    temperature in degrees Celsius, utilisation in percent, power in watts; null where there is none) and problem
    (why there are none, or empty).
    """
    from leaven.cli.output import console, emit_json
    from leaven_plugins.commands.gpu.view import view
    from leaven_plugins.devices.gpus import NoGpuError, readings

    try:
        with readings() as read:
            if as_json:
                emit_json({"gpus": [one.to_plain() for one in read()], "problem": ""})
            elif watch and console().is_terminal:
                _watch(read, interval)
            else:
                console().print(view(read()))
    except NoGpuError as error:
        if as_json:
            emit_json({"gpus": [], "problem": str(error)})
        else:
            click.echo(error)


def _watch(read: Callable[[], list[Gpu]], interval: float) -> None:
    """Show them until Ctrl-C."""
    from rich.live import Live

    from leaven.cli.output import console
    from leaven_plugins.commands.gpu.view import view

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        try:
            while True:
                live.update(view(read()), refresh=True)
                time.sleep(interval)
        except KeyboardInterrupt:
            return
