"""leaven lr find: which learning rate to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.train.command import overrides_option

if TYPE_CHECKING:
    from rich.console import Console

    from leaven.registry.registry import Registry
    from leaven_plugins.commands.lr.found import Found

NO_ANSWER = 3
"""The exit code where the test does not tell."""

_WIDEST, _ROWS = 100, 10
_RATE = click.FloatRange(0, min_open=True)


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@overrides_option
@click.option("--from", "low", metavar="RATE", type=_RATE, default=1e-6, show_default=True, help="The first rate.")
@click.option("--to", "high", metavar="RATE", type=_RATE, default=10.0, show_default=True, help="The last rate.")
@click.option("--steps", metavar="N", type=click.IntRange(20), default=100, show_default=True, help="How many steps.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a picture as well: PNG, SVG or PDF.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_context
def find(
    context: click.Context,
    config: Path,
    overrides: tuple[str, ...],
    low: float,
    high: float,
    steps: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Try rising learning rates on the experiment in CONFIG, and suggest one.

    The network is trained for a few steps, each at a higher rate than the one before, until the loss diverges. The
    suggestion is the rate at which the loss falls most steeply. Exits with 3 where it never fell.
    """
    from leaven.cli.output import console, emit_json
    from leaven_plugins.commands.lr.trying import rate_of
    from leaven_plugins.commands.train.experiment import Experiment

    registry: Registry = context.obj
    experiment = Experiment(config, registry, overrides)
    found = rate_of(experiment, low, high, steps)
    title = f"{experiment.name}: loss by learning rate"
    screen = console()
    _show(found, title, config, screen)
    if out:
        from leaven_plugins.commands.lr.picture import write_loss

        write_loss(out, found, title)
        screen.print(f"picture     {out}", markup=False, soft_wrap=True)
    if as_json:
        emit_json({**found.to_plain(), "out": out})
    context.exit(0 if found.suggestion is not None else NO_ANSWER)


def _show(found: Found, title: str, config: Path, screen: Console) -> None:
    from leaven.cli.output import heading
    from leaven_plugins.commands.lr.terminal import drawn

    ended = "until it diverged" if found.diverged else "to the end"
    screen.print(heading(title, f"smoothed; {len(found.losses)} steps, {ended}"))
    points = list(zip(found.rates, found.smoothed, strict=True))
    if points:
        braille = screen.encoding.startswith("utf")
        columns = min(screen.width, _WIDEST)
        for line in drawn(points, columns, _ROWS, braille=braille, unit="", logarithmic=True):
            screen.print(line, markup=False, no_wrap=True)
    for line in _lines(found, config):
        screen.print(line, markup=False, soft_wrap=True)


def _lines(found: Found, config: Path) -> list[str]:
    if found.suggestion is None or found.tenth is None:
        return [f"no answer   {found.remark}"]
    lines = [
        f"suggestion  {found.suggestion:.2g}  where the loss falls most steeply",
        f"            {found.tenth:.2g}  is a tenth of the rate where it is lowest",
    ]
    if found.remark:
        lines.append(f"            {found.remark}")
    return [*lines, f"next        leaven train {config} --set optimizer.lr={found.suggestion:.2g}"]
