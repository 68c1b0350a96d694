"""A trained network: built from the configuration in its snapshot, with the weights that are there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from leaven.registry.registry import Registry
from leaven.registry.toml import to_toml
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.snapshots.errors import SnapshotError
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.snapshots.manifest import read_about, read_manifest
from leaven_plugins.snapshots.weights import load_weights, weights_in


@dataclass(frozen=True)
class Trained:
    """A trained network.

    Attributes:
        network: in evaluation mode, on the CPU.
        experiment: what it was trained in.
        snapshot: where its weights are from.
        epoch: how many epochs it was trained.
        averaged: whether its weights are an average over the training.
    """

    network: nn.Module
    experiment: Experiment
    snapshot: Path
    epoch: int
    averaged: bool

    @property
    def name(self) -> str:
        """What to call it: the run's and the snapshot's name."""
        folder = self.snapshot.resolve()
        return f"{folder.parent.parent.name} {folder.name}".strip()

    def to_plain(self) -> dict[str, Any]:
        """Return what it is as plain data."""
        return {"snapshot": self.snapshot, "epoch": self.epoch, "averaged": self.averaged}


def configuration_of(snapshot: Path) -> dict[str, Any]:
    """Return the configuration of the experiment that a snapshot is of, as plain data that may be changed.

    Raises:
        SnapshotError: the snapshot cannot be read, or has none.
    """
    config = read_about(snapshot).get("config")
    if not isinstance(config, dict):
        advice = "leaven ckpt export writes its weights"
        raise SnapshotError(f"{snapshot}: no configuration is in it, so the network cannot be built; {advice}")
    return config


def trained_network(
    snapshot: Path,
    registry: Registry,
    config: Mapping[str, Any] | None = None,
    averaged: bool = True,
    overrides: Iterable[str] = (),
) -> Trained:
    """Build the network of a snapshot, with its weights.

    Args:
        snapshot: the snapshot's folder.
        registry: where names are looked up.
        config: in the place of that of the snapshot.
        averaged: take the average of the weights where the run kept one.
        overrides: values that win, as ``"loader.nworkers=2"``.

    Raises:
        SnapshotError: it cannot be read, or does not say what the network is.
        ConfigError: the configuration does not hold here, for example because a plugin is missing.
        WeightsError: the weights are not of that network.
    """
    experiment = Experiment(to_toml(configuration_of(snapshot) if config is None else config), registry, overrides)
    has = read_manifest(snapshot).parts
    loaded = load_snapshot(snapshot, [name for name in ("model", "average") if name in has])
    network = experiment.config.build("model")
    load_weights(network, weights_in(loaded.parts, averaged))
    is_average = averaged and "average" in loaded.parts
    return Trained(network.eval(), experiment, snapshot, int(loaded.about.get("epoch", 0)), is_average)


def feed_on(experiment: Experiment, device: torch.device) -> Any:
    """Return the experiment's feed, for one device."""
    feed = experiment.config.plain["loader"].get("feed", "torch")
    if feed == "torch":
        return {"use": "torch", "device": str(device)}
    return {**feed, "device": str(device)} if isinstance(feed, Mapping) and "device" in feed else feed
