"""leaven bench ops: how long what is done to images takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from leaven.cli.options import json_option

if TYPE_CHECKING:
    from leaven.registry.registry import Registry
    from leaven_plugins.commands.bench.ops import Timed


@click.command()
@click.option("--size", type=click.IntRange(8, 4096), default=224, show_default=True, help="Height and width, pixels.")
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True, help="The fastest one counts.")
@json_option
@click.pass_obj
def ops(registry: Registry, size: int, rounds: int, as_json: bool) -> None:
    """Measure what is done to a colour image of 8 bits, in microseconds, by one thread.

    All ops that are installed, the geometry, and the way into a batch. The ratio is to a plain cv2.resize from 380 x
    300 pixels in the same run. Beside it, for some, the bare calls of OpenCV that do the work, here and on the
    reference machine. Goals are for that one: they are met by what takes no larger multiple of the bare calls.

    The JSON object has the keys size, resize_us (of the plain cv2.resize), ops (name, us, ratio, bare_us, reference_us,
    goal_us and met of each; null where there is none), missing (op: why it was not measured) and reference_machine.
    """
    from leaven.cli.output import console, emit_json, note, table
    from leaven_plugins.commands.bench.ops import REFERENCE_MACHINE, measure_ops

    measured = measure_ops(registry, size, rounds)
    for name, reason in measured.missing.items():
        note(f"not measured: {name}: {reason}")
    if as_json:
        emit_json(
            {
                "size": size,
                "resize_us": measured.times[0].us,
                "ops": [timed.to_plain() for timed in measured.times],
                "missing": measured.missing,
                "reference_machine": REFERENCE_MACHINE,
            }
        )
        return
    headings = ("operation", "us", "to resize", "OpenCV us", "reference us", "goal us", "met")
    console().print(table(headings, [_row(timed) for timed in measured.times]))
    click.echo(f"reference machine: {REFERENCE_MACHINE}")


def _row(timed: Timed) -> tuple[str, ...]:
    known = (timed.bare_us, timed.reference_us, timed.goal_us)
    figures = ("" if figure is None else f"{figure:.1f}" for figure in known)
    met = "" if timed.met is None else "yes" if timed.met else "no"
    return timed.name, f"{timed.us:.1f}", f"{timed.ratio:.2f}", *figures, met
