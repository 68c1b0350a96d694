"""A run: an experiment trained in a folder of its own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from leaven.errors import ConfigError
from leaven.registry.parameters import parameters_of
from leaven.registry.toml import to_toml
from leaven.stream.loader import TurboDataLoader
from leaven.stream.pool import WorkerPool
from leaven_plugins.commands.show.batches import first_images, sheet_of
from leaven_plugins.commands.show.sheet import write_sheet
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.result import Result, result_of
from leaven_plugins.commands.train.resume import put_back
from leaven_plugins.decoders.alarms import alarming
from leaven_plugins.trainers.standard.progress import RunProgress
from leaven_plugins.trainers.standard.snapshots import Snapshot

_SHEET_IMAGES = 32


def run_experiment(experiment: Experiment, folder: Path, console: Console, resume: Snapshot | None = None) -> Result:
    """Train, and write ``config.toml``, ``log.jsonl``, ``snapshots/`` and ``sheet.png`` into ``folder``.

    The experiment's seed seeds torch's global generator, from which the network's first weights are drawn; everything
    that the loader draws depends on the seed alone, so that all transports give the same run.

    Args:
        experiment: what to train, with ``training=True``.
        folder: an empty folder.
        console: where progress is shown.
        resume: a snapshot to go on from.

    Raises:
        ConfigError: a value in the configuration is refused.
        LeavenError: whatever goes wrong in the run, as its own type.
    """
    began = time.perf_counter()
    config = experiment.config
    (folder / "config.toml").write_text(to_toml(experiment.resolved()), "utf-8")
    device = _device(config.build("train.device"), config.source)
    torch.manual_seed(experiment.seed)
    network = config.build("model").to(device)
    optimizer = config.build("optimizer")(network.parameters())
    done = put_back(resume, network, optimizer) if resume else 0
    epochs = _epochs(config.build("train.epochs"), done, config.source)
    _write_sheet(experiment, folder / "sheet.png")
    with ExitStack() as stack:
        if "train.threads" in config:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(config.build("train.threads"))
        workers = stack.enter_context(experiment.worker_pool())
        train_iter, val_iter = _loaders(experiment, device, done, workers)
        logger = config.registry.create("logger:jsonl", path=str(folder / "log.jsonl"))
        stack.callback(logger.close)
        trainer = _trainer(
            experiment,
            network=network,
            optimizer=optimizer,
            loss=config.build("loss"),
            metric=config.build("metric"),
            train_policy=config.build("policy"),
            train_iter=stack.enter_context(train_iter),
            val_iter=stack.enter_context(val_iter) if val_iter else None,
            outdir=folder,
            logger=logger,
            about=_about(experiment),
        )
        if hasattr(trainer, "add_hook"):
            stack.enter_context(RunProgress(console)).attach(trainer)
        state = trainer.train(epochs, start_epoch=done)
        for name, times in sorted(alarming(train_iter.counts + (val_iter.counts if val_iter else Counter())).items()):
            console.print(f"decoder   {times:,} images {name}", style="yellow", markup=False, highlight=False)
    snapshot = _last_snapshot(trainer, state, epochs)
    return result_of(state, epochs, folder, snapshot, time.perf_counter() - began)


def _device(name: str, source: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"train.device: {name!r}: expected 'auto', 'cpu', 'cuda' or 'cuda:NUMBER'", source) from error


def _epochs(epochs: int, done: int, source: str) -> int:
    if epochs < 1:
        raise ConfigError(f"train.epochs: {epochs}: expected at least 1", source)
    if epochs <= done:
        raise ConfigError(f"train.epochs: {epochs}, and the snapshot has {done}: nothing is left to do", source)
    return epochs


def _write_sheet(experiment: Experiment, path: Path) -> None:
    found = first_images(experiment.train_loader(nworkers=0, feed="numpy"), _SHEET_IMAGES)
    write_sheet(path, sheet_of(found, f"{experiment.name}: the first training images, as the network sees them", 8))


def _loaders(
    experiment: Experiment, device: torch.device, done: int, workers: WorkerPool
) -> tuple[TurboDataLoader, TurboDataLoader | None]:
    given: dict[str, Any] = {"nworkers": workers}
    if "feed" not in experiment.config.plain["loader"]:
        given["feed"] = {"use": "torch", "device": str(device)}
    train_iter, val_iter = experiment.train_loader(**given), experiment.val_loader(**given)
    if done:
        train_iter = experiment.train_loader(**given, start_iteration=done * len(train_iter))
        val_iter = val_iter and experiment.val_loader(**given, start_iteration=done * len(val_iter))
    return train_iter, val_iter


def _trainer(experiment: Experiment, **given: Any) -> Any:
    """Build the trainer with those of the given parameters that it takes."""
    config = experiment.config
    table = config.plain["trainer"]
    spec = table if isinstance(table, str) else table["use"]
    taken = parameters_of(config.registry.find(spec, kind="trainer").load())
    return config.build("trainer", **{name: value for name, value in given.items() if name in taken})


def _about(experiment: Experiment) -> dict[str, Any]:
    """What a snapshot says of its origin."""
    plugins = experiment.config.registry.plugins()
    versions = {plugin.distribution: plugin.version for plugin in plugins if plugin.distribution}
    return {"versions": {**versions, "torch": torch.__version__}, "config": experiment.resolved()}


def _last_snapshot(trainer: Any, state: Mapping[str, Any], epochs: int) -> Path | None:
    """Return the snapshot of the last epoch, which the interval may have left out."""
    path = state.get("snapshot")
    if hasattr(trainer, "snapshot") and (path is None or Path(path).name != f"epoch_{epochs:04d}"):
        path = trainer.snapshot(epochs)
    return None if path is None else Path(path)
