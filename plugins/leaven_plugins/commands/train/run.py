"""A run: an experiment trained in a folder of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from leaven.errors import LeavenError
from leaven.registry.toml import to_toml
from leaven_plugins.commands.predict.gathering import prediction_sheet
from leaven_plugins.commands.show.batches import first_images, sheet_of
from leaven_plugins.commands.show.sheet import write_sheet
from leaven_plugins.commands.train.data_choice import class_names
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.options import RunOptions
from leaven_plugins.commands.train.outfit import (
    data_of,
    device_of,
    epochs_of,
    is_sharded,
    loaders_of,
    network_of,
    trainer_of,
)
from leaven_plugins.commands.train.result import Result, result_of
from leaven_plugins.commands.train.resume import comparison, put_back
from leaven_plugins.commands.train.settings import torch_settings
from leaven_plugins.commands.train.signals import stopping_on_signals
from leaven_plugins.decoders.alarms import alarming
from leaven_plugins.distributed.world import World, joined
from leaven_plugins.snapshots.files import Snapshot, load_snapshot
from leaven_plugins.trainers.standard.progress import RunProgress

_SHEET_IMAGES = 32


def run_experiment(experiment: Experiment, folder: Path, console: Console, options: RunOptions | None = None) -> Result:
    """Train, and write ``config.toml``, ``log.jsonl``, ``snapshots/`` and ``sheet.png`` into ``folder``.

    The experiment's seed seeds torch's global generator, from which the network's first weights are drawn; everything
    that the loader draws depends on the seed alone, so that all transports give the same run. Of several processes that
    train together, all run this; rank 0 writes.

    Args:
        experiment: what to train, with ``training=True``.
        folder: an empty folder.
        console: where progress is shown.
        options: what the command line changes.

    Raises:
        ConfigError: a value in the configuration is refused.
        LeavenError: whatever goes wrong in the run, as its own type.
    """
    options = options or RunOptions()
    device = device_of(experiment)
    with joined(device.type) as world, ExitStack() as stack:
        stack.enter_context(torch_settings(experiment))
        return _run(experiment, folder, console, options, device, world, stack)


def _run(
    experiment: Experiment,
    folder: Path,
    console: Console,
    options: RunOptions,
    device: torch.device,
    world: World,
    stack: ExitStack,
) -> Result:
    began = time.perf_counter()
    config = experiment.config
    snapshot = load_snapshot(options.resume) if options.resume else None
    network, optimizer = network_of(experiment, device, world)
    if world.rank == 0:
        (folder / "config.toml").write_text(to_toml(experiment.resolved()), "utf-8")
        _write_sheet(experiment, folder / "sheet.png")
    workers = stack.enter_context(experiment.worker_pool())
    train_loader, val_loader = loaders_of(experiment, device, workers)
    for loader in filter(None, (train_loader, val_loader)):
        stack.enter_context(loader)
    train_iter, val_iter = data_of(train_loader, val_loader, options)
    logger = config.registry.create("logger:jsonl", path=str(folder / "log.jsonl"))
    stack.callback(logger.close)
    trainer = trainer_of(
        experiment,
        options,
        network=network,
        optimizer=optimizer,
        train_iter=train_iter,
        val_iter=val_iter,
        outdir=folder,
        logger=logger,
        about=_about(experiment),
        world=world,
    )
    done = _resumed(trainer, optimizer, snapshot, experiment, console) if snapshot else 0
    steps_done = snapshot.about.get("step", 0) if snapshot else 0
    epochs = epochs_of(experiment, train_iter, options, done, steps_done)
    if hasattr(trainer, "add_hook"):
        stack.enter_context(RunProgress(console)).attach(trainer)
    with stopping_on_signals(getattr(trainer, "stop", lambda reason: None), lambda text: _say(console, text)) as came:
        state = trainer.train(epochs, start_epoch=done)
    _tell_alarms(console, train_loader.counts + (val_loader.counts if val_loader else Counter()))
    saved = _last_snapshot(trainer, state, epochs)
    if val_loader and world.rank == 0 and not came and not is_sharded(experiment, world):
        _write_predictions(experiment, trainer, network, val_loader, folder / "predictions.png", console)
    return result_of(state, epochs, folder, saved, time.perf_counter() - began, came[0] if came else 0)


def _resumed(trainer: Any, optimizer: Any, snapshot: Snapshot, experiment: Experiment, console: Console) -> int:
    """Put a snapshot back, say what came of it, and return how many epochs are done."""
    config = experiment.resolved()
    found = put_back(trainer, optimizer, snapshot, config)
    for line in comparison(snapshot, config, found.done, found.ignored):
        _say(console, line)
    return int(snapshot.about["epoch"])


def _write_sheet(experiment: Experiment, path: Path) -> None:
    loader = experiment.train_loader(nworkers=0, feed="numpy", rank=0, world_size=1)
    found = first_images(loader, _SHEET_IMAGES)
    write_sheet(path, sheet_of(found, f"{experiment.name}: the first training images, as the network sees them", 8))


def _write_predictions(
    experiment: Experiment, trainer: Any, network: torch.nn.Module, data: Any, path: Path, console: Console
) -> None:
    title = f"{experiment.name}: what the network says of the first validation images"
    try:
        with getattr(trainer, "averaged", nullcontext)():
            write_sheet(path, prediction_sheet(network, data, class_names(experiment), title=title))
    except LeavenError as error:  # the network is trained all the same
        _say(console, f"no predictions.png: {error}")


def _about(experiment: Experiment) -> dict[str, Any]:
    """What a snapshot says of its origin."""
    plugins = experiment.config.registry.plugins()
    versions = {plugin.distribution: plugin.version for plugin in plugins if plugin.distribution}
    return {"versions": {**versions, "torch": torch.__version__}, "config": experiment.resolved()}


def _last_snapshot(trainer: Any, state: Mapping[str, Any], epochs: int) -> Path | None:
    """Return the snapshot of the last epoch, which the interval may have left out."""
    path = state.get("snapshot")
    is_last = path is not None and Path(path).name == f"epoch_{epochs:04d}"
    if hasattr(trainer, "snapshot") and not state.get("stopped") and not is_last:
        path = trainer.snapshot(epochs)
    return None if path is None else Path(path)


def _tell_alarms(console: Console, counts: Counter[str]) -> None:
    for name, times in sorted(alarming(counts).items()):
        console.print(f"decoder   {times:,} images {name}", style="yellow", markup=False, highlight=False)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
