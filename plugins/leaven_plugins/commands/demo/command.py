"""leaven demo: the whole way from data to a trained network, for three tasks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.train.command import announced, overrides_option, show_result

if TYPE_CHECKING:
    from rich.console import Console

    from leaven.registry.registry import Registry
    from leaven_plugins.commands.train.experiment import Experiment
    from leaven_plugins.commands.train.result import Result

REMARKS = {
    "digits": "(an optimistic one: digits of the same 13 writers are in training and validation)",
    "segmentation": "(the iou is the mean over ground, discs, squares and triangles)",
    "saliency": "(centre_bias: the nss of a Gaussian in the middle, the same for all images, of the best width)",
}
"""The demos, and what is to be said of their results."""

TURBO = (
    "leaven-turbo is not installed: it would make decoding of photographs faster; leaven bench loader CONFIG says by "
    "how much (make native, or pip install 'leaven[turbo]')"
)


def config_of(name: str) -> Path:
    """Return the configuration of a demo."""
    return Path(__file__).with_name(f"{name}.toml")


CONFIG = config_of("digits")


@click.command()
@click.argument("name", metavar="[digits|segmentation|saliency]", type=click.Choice(list(REMARKS)), default="digits")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run; else runs/demo, or runs/demo_NAME.")
@overrides_option
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_context
def demo(context: click.Context, name: str, out: Path | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Train a small network on handwritten digits, or for segmentation or saliency.

    The digits, which come with leaven, are packed into msgpack files; the pictures of the other demos are made up as
    they are read. Worker processes prepare them, and a network is trained and evaluated, in less than a minute on two
    idle cores. The folder is always a new one: if it is taken, -2, -3, ... is appended.
    """
    from leaven.cli.output import console
    from leaven_plugins.commands.train.experiment import Experiment
    from leaven_plugins.commands.train.folder import new_folder

    registry: Registry = context.obj
    config = config_of(name)
    Experiment(config, registry, overrides)  # what is wrong is said before anything is written
    from leaven_plugins.commands.train.run import run_experiment

    screen = console()
    wanted = out or Path("runs") / ("demo" if name == "digits" else f"demo_{name}")
    folder = announced(new_folder(wanted), wanted, screen)
    files = _packed(registry, folder / "data", screen) if name == "digits" else []
    experiment = Experiment(config, registry, [*files, *overrides])
    result = run_experiment(experiment, folder, screen)
    if name == "saliency":
        result = _with_centre_bias(result, experiment)
    show_result(result, screen, _suggestions(folder), as_json, REMARKS[name])
    if not as_json and not _has_turbo(registry):
        screen.print(TURBO, markup=False, soft_wrap=True)
    context.exit(128 + result.signal if result.signal else 0)


def _suggestions(folder: Path) -> list[str]:
    return [
        f"leaven show batch {folder / 'config.toml'} --out batch.png",
        f"leaven predict {folder} val --out pictures",
        f"leaven train {folder / 'config.toml'} --set train.epochs=30",
        "leaven components        everything that a configuration can name",
    ]


def _packed(registry: Registry, folder: Path, screen: Console) -> list[str]:
    """Pack the digits; return the overrides that name the files."""
    from leaven_plugins.commands.demo.packing import data_override, pack_digits

    packed = pack_digits(registry, folder)
    for path, count in packed.values():
        screen.print(f"packed    {count} digits into {path}", markup=False, soft_wrap=True)
    return [data_override(split, path) for split, (path, _) in packed.items()]


def _with_centre_bias(result: Result, experiment: Experiment) -> Result:
    """Return the result with one more value: what its ``nss`` has to be compared with."""
    from dataclasses import replace

    from leaven_plugins.commands.demo.centre import centre_bias

    loader = experiment.val_loader(nworkers=0, feed={"use": "torch", "device": "cpu"})
    assert loader is not None, "the configuration has data.val, which can be replaced but not left out"
    with loader:
        return replace(result, values={**result.values, "centre_bias": centre_bias(loader, experiment.config.registry)})


def _has_turbo(registry: Registry) -> bool:
    from leaven.errors import LookupFailed

    try:
        registry.find("turbo", kind="decoder")
    except LookupFailed:
        return False
    return True
