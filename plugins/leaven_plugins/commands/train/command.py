"""leaven train: from a configuration file to a trained network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from leaven_plugins.commands.train.result import Result

_Command = TypeVar("_Command", bound=Callable[..., Any])


def overrides_option(command: _Command) -> _Command:
    """Add the option ``--set``, which gives the parameter ``overrides``."""
    text = "Set one value of the configuration, as in loader.nworkers=4. Can be repeated."
    return click.option("--set", "overrides", metavar="KEY=VALUE", multiple=True, help=text)(command)


@click.command()
@click.argument("config", type=click.Path(path_type=Path))
@overrides_option
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run; else one in runs, named as CONFIG.")
@click.option("--resume", metavar="last|best|PATH", help="Go on from a snapshot, or from the last one of a run.")
@click.option("--dry-run", is_flag=True, help="Try everything with two batches, and leave nothing behind.")
@click.option("--overfit", metavar="N", type=click.IntRange(1), help="Train and validate on the first N samples only.")
@click.option("--limit-train", metavar="N", type=click.FloatRange(0, min_open=True), help="Iterations, or share.")
@click.option("--limit-val", metavar="N", type=click.FloatRange(0, min_open=True), help="The same for validation.")
@click.option("--nproc", metavar="N", type=click.IntRange(1), default=1, help="Processes that train together.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_context
def train(
    context: click.Context,
    config: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    resume: str | None,
    dry_run: bool,
    overfit: int | None,
    limit_train: float | None,
    limit_val: float | None,
    nproc: int,
    as_json: bool,
) -> None:
    """Train a network as CONFIG says, a TOML file.

    The run's folder is always a new one: if it is taken, -2, -3, ... is appended. Ctrl-C ends the run after the step
    that is under way, with a snapshot; --resume last goes on from there.
    """
    from leaven.cli.output import console
    from leaven_plugins.commands.train.experiment import Experiment
    from leaven_plugins.commands.train.options import RunOptions

    experiment = Experiment(config, context.obj, overrides)
    from leaven.cli.group import ARGUMENTS
    from leaven_plugins.commands.train.processes import ended_together, run_together, train_in_processes
    from leaven_plugins.distributed.launch import within_job

    if nproc > 1 and not within_job():
        train_in_processes(context.meta[ARGUMENTS], nproc)
        return
    from leaven_plugins.commands.train.resume import snapshot_meant

    wanted = out or Path("runs") / experiment.name
    snapshot = snapshot_meant(resume, wanted) if resume else None
    options = RunOptions(snapshot, limit_train, limit_val, overfit or 0, dry_run)
    result = run_together(experiment, wanted, console(), options)
    code = 128 + result.signal if result.signal else 0
    if result.rank:
        ended_together(code)
    if dry_run:
        outcome = "interrupted" if result.signal else "everything works"
        console().print(f"dry run: {outcome} ({result.seconds:.1f} s); nothing was kept", markup=False)
    else:
        show_result(result, console(), [f"leaven show batch {result.log.parent / 'config.toml'}"], as_json)
    ended_together(code)
    context.exit(code)


def announced(folder: Path, wanted: Path, screen: Console) -> Path:
    """Say so if the run does not go where it was wanted; return its folder."""
    if folder != wanted:
        screen.print(f"{wanted} is not empty: this run goes to {folder}", markup=False, soft_wrap=True)
    return folder


def show_result(result: Result, screen: Console, suggestions: list[str], as_json: bool, remark: str = "") -> None:
    """Print the outcome, where everything is, and what to type next."""
    from leaven.cli.output import emit_json
    from leaven_plugins.commands.train.result import value_lines

    lines = [
        ("stopped", result.stopped or ""),
        *value_lines(result),
        ("", remark),
        ("time", f"{result.seconds:.1f} s for everything"),
        ("snapshot", str(result.snapshot or "none")),
        ("log", str(result.log)),
        ("sheet", f"{result.sheet}  (look at it: training images as the network saw them)"),
        ("pictures", f"{result.predictions or ''}"),
        *(("next" if i == 0 else "", text) for i, text in enumerate(suggestions)),
    ]
    screen.print()
    width = max(9, *(len(name) for name, _ in lines))
    for name, text in lines:
        if text:
            screen.print(f"{name:<{width}} {text}", markup=False, soft_wrap=True)
    if as_json:
        emit_json(result.to_plain())
