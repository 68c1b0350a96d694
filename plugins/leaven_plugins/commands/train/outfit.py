"""Outfit: what a run is made of, built from its experiment."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import torch

from leaven.errors import ConfigError
from leaven.registry.parameters import parameters_of
from leaven.stream.loader import TurboDataLoader
from leaven.stream.pool import WorkerPool
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.options import RunOptions
from leaven_plugins.commands.train.overfitting import kept_samples
from leaven_plugins.devices.choice import chosen
from leaven_plugins.distributed.world import World
from leaven_plugins.distributed.wrapping import wrapped
from leaven_plugins.feeds.torch.augmented import shared_work, then

_DEFAULT_EPOCHS = 10
_TRIED = 2


def device_of(experiment: Experiment) -> torch.device:
    """Return the device that ``train.device`` names.

    Raises:
        ConfigError: it names none.
    """
    try:
        return chosen(experiment.config.build("train.device"))
    except ValueError as error:
        raise ConfigError(f"train.device: {error}", experiment.config.source) from error


def network_of(experiment: Experiment, device: torch.device, world: World) -> tuple[torch.nn.Module, Any]:
    """Return the network, with weights drawn by the experiment's seed, and its optimizer."""
    config = experiment.config
    torch.manual_seed(experiment.seed)
    network: torch.nn.Module = config.build("model").to(device)
    if is_sharded(experiment, world):
        network = wrapped(network, world, "fsdp")
    return network, config.build("optimizer")(network.named_parameters())


def is_sharded(experiment: Experiment, world: World) -> bool:
    """Return whether each process has a part of the network only, and can do nothing with it alone."""
    table = experiment.config.plain["trainer"]
    return world.size > 1 and isinstance(table, Mapping) and table.get("parallel") == "fsdp"


def loaders_of(
    experiment: Experiment, device: torch.device, workers: WorkerPool
) -> tuple[TurboDataLoader, TurboDataLoader | None]:
    """Return the loaders of training and validation, whose batches come as tensors on the device."""
    given: dict[str, Any] = {"nworkers": workers}
    if "feed" not in experiment.config.plain["loader"]:
        given["feed"] = {"use": "torch", "device": str(device)}
    val_iter = experiment.val_loader(**given)
    if "augmenter" in experiment.config:
        return experiment.train_loader(**given, **_on_the_device(experiment)), val_iter
    return experiment.train_loader(**given), val_iter


def data_of(train: TurboDataLoader, val: TurboDataLoader | None, options: RunOptions) -> tuple[Any, Any]:
    """Return what to train and validate on: the loaders, or always the same few samples of them."""
    if not options.overfit:
        return train, val
    kept = kept_samples(train, options.overfit)
    return kept, kept


def trainer_of(experiment: Experiment, options: RunOptions, **given: Any) -> Any:
    """Build the trainer, with those of the given parameters that it takes."""
    config = experiment.config
    table = config.plain["trainer"]
    spec = table if isinstance(table, str) else table["use"]
    taken = parameters_of(config.registry.find(spec, kind="trainer").load())
    wanted = {
        **given,
        "loss": config.build("loss"),
        "val_loss": config.build("val_loss"),
        "metric": config.build("metric"),
        "val_metric": config.build("val_metric"),
        "train_policy": config.build("policy"),
        "val_policy": config.build("val_policy"),
        "schedules": config.build("schedules"),
        "hooks": config.build("hook"),
        "max_steps": config.build("train.steps") or 0,
        "max_seconds": config.build("train.max_seconds") or 0.0,
        "limit_train": _TRIED if options.dry_run else options.limit_train,
        "limit_val": _TRIED if options.dry_run else options.limit_val,
    }
    return config.build("trainer", **{name: value for name, value in wanted.items() if name in taken})


def epochs_of(experiment: Experiment, data: Any, options: RunOptions, done: int, steps_done: int = 0) -> int:
    """Return how many epochs there will be, those that are done included.

    Raises:
        ConfigError: none, or no more epochs or steps than the snapshot has.
    """
    config = experiment.config
    epochs, steps = config.build("train.epochs"), config.build("train.steps")
    for name, number in (("epochs", epochs), ("steps", steps)):
        if number is not None and number < 1:
            raise ConfigError(f"train.{name}: {number}: expected at least 1", config.source)
    if options.dry_run:
        return done + 1
    if steps is not None and steps <= steps_done:
        text = f"train.steps: {steps}, and the snapshot has {steps_done}: nothing is left to do"
        raise ConfigError(text, config.source)
    if epochs is None:
        epochs = _DEFAULT_EPOCHS if steps is None else _epochs_for(steps, data, config.plain["trainer"])
    if epochs <= done:
        raise ConfigError(f"train.epochs: {epochs}, and the snapshot has {done}: nothing is left to do", config.source)
    return int(epochs)


def _epochs_for(steps: int, data: Any, trainer: Any) -> int:
    """Return in how many epochs the steps are done; as many as steps where no epoch's length is known."""
    accumulate = trainer.get("accumulate", 1) if isinstance(trainer, Mapping) else 1
    try:
        return ceil(steps / ceil(len(data) / accumulate))
    except TypeError:
        return steps


def _on_the_device(experiment: Experiment) -> dict[str, Any]:
    """Return what a loader needs that leaves ops to the augmenter."""
    config = experiment.config
    worker, augmenter = shared_work(config.build("worker"), config.build("augmenter"), config.registry)
    return {"worker": worker, "transform": then(augmenter, None)}
