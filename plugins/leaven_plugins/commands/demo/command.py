"""leaven demo: the whole way from images in a file to a trained network, on handwritten digits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leaven_plugins.commands.train.command import announced, overrides_option, show_result

if TYPE_CHECKING:
    from leaven.registry.registry import Registry

CONFIG = Path(__file__).with_name("digits.toml")
REMARK = "(an optimistic one: digits of the same 13 writers are in training and validation)"

TURBO = (
    "leaven-turbo is not installed: it would make batches of photographs 2.5 times as fast, 3.3 times once repacked "
    "(make native, or pip install 'leaven[turbo]'); digits it leaves alone"
)


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/demo"), show_default=True, help="Folder.")
@overrides_option
@click.option("--json", "as_json", is_flag=True, help="End with one JSON object.")
@click.pass_obj
def demo(registry: Registry, out: Path, overrides: tuple[str, ...], as_json: bool) -> None:
    """Train a small network on handwritten digits, which come with leaven.

    The digits are packed into msgpack files, worker processes augment them, and a network is trained and evaluated. The
    folder is always a new one: if it is taken, -2, -3, ... is appended.
    """
    from leaven.cli.output import console
    from leaven_plugins.commands.train.experiment import Experiment
    from leaven_plugins.commands.train.folder import new_folder

    Experiment(CONFIG, registry, overrides)  # what is wrong is said before anything is written
    from leaven_plugins.commands.train.run import run_experiment

    screen = console()
    folder = announced(new_folder(out), out, screen)
    packed = pack_digits(registry, folder / "data")
    for path, count in packed.values():
        screen.print(f"packed    {count} digits into {path}", markup=False, soft_wrap=True)
    files = [_data_override(split, path) for split, (path, _) in packed.items()]
    result = run_experiment(Experiment(CONFIG, registry, [*files, *overrides]), folder, screen)
    config = folder / "config.toml"
    suggestions = [
        f"leaven show batch {config} --out batch.png",
        f"leaven train {config} --set train.epochs=30",
        "leaven components        everything that a configuration can name",
    ]
    show_result(result, screen, suggestions, as_json, REMARK)
    if not as_json and not _has_turbo(registry):
        screen.print(TURBO, markup=False, soft_wrap=True)


def _has_turbo(registry: Registry) -> bool:
    from leaven.errors import LookupFailed

    try:
        registry.find("turbo", kind="decoder")
    except LookupFailed:
        return False
    return True


def pack_digits(registry: Registry, folder: Path) -> dict[str, tuple[Path, int]]:
    """Pack the digits into a msgpack file for each split; return path and number of samples.

    Raises:
        DatasetError: a file cannot be written.
        LookupFailed: one of the two datasets is blocked.
    """
    writer = registry.find("msgpack", kind="dataset").load()
    packed = {}
    for split in ("train", "val"):
        digits = registry.create("digits", kind="dataset", split=split)
        path = folder / f"{split}.msgpack"
        packed[split] = (path, writer.write(path, (digits.sample(index) for index in range(len(digits)))))
    return packed


def _data_override(split: str, path: Path) -> str:
    text = json.dumps(str(path), ensure_ascii=False)  # also how TOML writes a string
    return f'data.{split}={{ use = "dataset:msgpack", path = {text} }}'
