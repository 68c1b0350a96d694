"""The range test of an experiment: with its network, optimizer, loss and training data."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from leaven.errors import ConfigError
from leaven_plugins.commands.lr.found import Found
from leaven_plugins.commands.lr.sweep import find_rate
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.outfit import device_of, loaders_of, network_of
from leaven_plugins.commands.train.settings import torch_settings
from leaven_plugins.distributed.world import World
from leaven_plugins.trainers.standard.trainer import Trainer

_TAKEN_OVER = ("precision", "accumulate", "clip_norm", "clip_value")
"""Options of the trainer on which the answer depends."""


def rate_of(experiment: Experiment, low: float, high: float, steps: int) -> Found:
    """Do the range test of an experiment; nothing is written. See :func:`~leaven_plugins.commands.lr.sweep.find_rate`.

    Policies, schedules, hooks, validation and the average of the weights have no part in it.

    Raises:
        ConfigError: its trainer is not the standard one.
        LeavenError: whatever goes wrong, as its own type.
    """
    options = _trainer_options(experiment)
    device = device_of(experiment)
    with ExitStack() as stack:
        stack.enter_context(torch_settings(experiment))
        network, optimizer = network_of(experiment, device, World())
        workers = stack.enter_context(experiment.worker_pool())
        loaders = loaders_of(experiment, device, workers)
        for loader in filter(None, loaders):
            stack.enter_context(loader)
        return find_rate(network, optimizer, experiment.config.build("loss"), loaders[0], low, high, steps, options)


def _trainer_options(experiment: Experiment) -> dict[str, Any]:
    config = experiment.config
    table = config.plain["trainer"]
    table = table if isinstance(table, Mapping) else {"use": table}
    offer = config.registry.find(table["use"], kind="trainer")
    if offer.load() is not Trainer:
        raise ConfigError(f"trainer: leaven lr find trains with trainer:standard, and not {offer.spec}", config.source)
    return {name: table[name] for name in _TAKEN_OVER if name in table}
