"""leaven lr plot: policies as curves, in the terminal and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from leaven.registry.registry import Registry

_WIDEST = 100  # columns of a curve in the terminal
_ROWS = 10


@click.command()
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Set a parameter, as in power=2. Can be repeated."
)
@click.option("--epochs", type=click.IntRange(1), help="Length of the run; by default the configuration's, or 100.")
@click.option(
    "--steps-per-epoch", type=click.IntRange(1), help="Optimizer steps; by default the configuration's, or 100."
)
@click.option("--base", type=float, help="Value to start from; by default the optimizer's lr, or 1.")
@click.option("--out", type=click.Path(path_type=Path), help="Write a picture as well: PNG, SVG or PDF.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_obj
def plot(
    registry: Registry,
    sources: tuple[str, ...],
    overrides: tuple[str, ...],
    epochs: int | None,
    steps_per_epoch: int | None,
    base: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Draw what policies do to a value over a run.

    A SOURCE is a configuration (a TOML file), of which the policy is drawn; the name of a policy, such as cosine; or a
    table in TOML, such as '{use="wave", period=10}'.
    """
    from leaven.cli.output import console, emit_json, heading
    from leaven_plugins.commands.lr.curves import Wanted, curve_of, opened
    from leaven_plugins.commands.lr.terminal import drawn

    wanted = Wanted(epochs, steps_per_epoch, base)
    curves = [curve_of(opened(source, registry, overrides, wanted)) for source in sources]
    screen = console()
    columns = min(screen.width, _WIDEST)
    for curve in curves:
        screen.print(heading(curve.name, curve.remark))
        for line in drawn(curve.points, columns, _ROWS, braille=screen.encoding.startswith("utf")):
            screen.print(line, markup=False, no_wrap=True)
    if out:
        from leaven_plugins.commands.lr.picture import write_picture

        write_picture(out, curves)
        screen.print(f"picture  {out}", markup=False, soft_wrap=True)
    if as_json:
        emit_json({"curves": [curve.to_plain() for curve in curves], "out": out})
