"""leaven train: from a configuration file to a trained network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

    from leaven.registry.registry import Registry
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
@click.option("--resume", type=click.Path(path_type=Path), help="Go on from a snapshot, or from the last one of a run.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_obj
def train(
    registry: Registry, config: Path, overrides: tuple[str, ...], out: Path | None, resume: Path | None, as_json: bool
) -> None:
    """Train a network as CONFIG says, a TOML file.

    The run's folder is always a new one: if it is taken, -2, -3, ... is appended.
    """
    from leaven.cli.output import console
    from leaven_plugins.commands.train.experiment import Experiment

    experiment = Experiment(config, registry, overrides)
    from leaven_plugins.commands.train.folder import new_folder
    from leaven_plugins.commands.train.resume import snapshot_at
    from leaven_plugins.commands.train.run import run_experiment

    snapshot = snapshot_at(resume) if resume else None
    screen = console()
    wanted = out or Path("runs") / experiment.name
    folder = announced(new_folder(wanted), wanted, screen)
    result = run_experiment(experiment, folder, screen, snapshot)
    show_result(result, screen, [f"leaven show batch {folder / 'config.toml'}"], as_json)


def announced(folder: Path, wanted: Path, screen: Console) -> Path:
    """Say so if the run does not go where it was wanted; return its folder."""
    if folder != wanted:
        screen.print(f"{wanted} is not empty: this run goes to {folder}", markup=False, soft_wrap=True)
    return folder


def show_result(result: Result, screen: Console, suggestions: list[str], as_json: bool, remark: str = "") -> None:
    """Print the outcome, where everything is, and what to type next."""
    from leaven.cli.output import emit_json
    from leaven_plugins.commands.train.result import accuracy_line

    lines = [
        ("accuracy", accuracy_line(result)),
        ("", remark),
        ("time", f"{result.seconds:.1f} s for everything"),
        ("snapshot", str(result.snapshot or "none")),
        ("log", str(result.log)),
        ("sheet", f"{result.sheet}  (look at it: training images as the network saw them)"),
        *(("next" if i == 0 else "", text) for i, text in enumerate(suggestions)),
    ]
    screen.print()
    for name, text in lines:
        if text:
            screen.print(f"{name:<9} {text}", markup=False, soft_wrap=True)
    if as_json:
        emit_json(result.to_plain())
