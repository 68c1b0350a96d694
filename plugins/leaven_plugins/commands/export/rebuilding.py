"""The network of a snapshot, built again from the configuration in it, and images to try it with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from leaven.errors import LeavenError, listing
from leaven.registry.registry import Registry
from leaven_plugins.commands.train.experiment import Experiment
from leaven_plugins.commands.train.trained import feed_on, trained_network


class Plain(nn.Module):
    """A network as others know them: from a tensor to a tensor, without sample dicts around them.

    Args:
        network: takes and returns sample dicts. Its attributes ``input_key`` and ``output_key`` say which tensors are
            meant; without them it is ``image`` and ``output``.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.input_key = str(getattr(network, "input_key", "image"))
        self.output_key = str(getattr(network, "output_key", "output"))

    def forward(self, image: Tensor) -> Tensor:
        """Return the network's output for images ``(rows, channels, height, width)``."""
        output: Tensor = self.network({self.input_key: image})[self.output_key]
        return output


@dataclass(frozen=True)
class Rebuilt:
    """A trained network.

    Attributes:
        plain: the network in evaluation mode, on the CPU.
        experiment: what it was trained in.
        snapshot: where its weights are from.
        averaged: whether these are an average over the training.
    """

    plain: Plain
    experiment: Experiment
    snapshot: Path
    averaged: bool

    def to_plain(self) -> dict[str, Any]:
        """Return what it is as plain data."""
        weights = sum(parameter.numel() for parameter in self.plain.parameters())
        return {"snapshot": self.snapshot, "averaged": self.averaged, "weights": weights}


def rebuilt(snapshot: Path, registry: Registry, averaged: bool = True) -> Rebuilt:
    """Build the network of a snapshot, with its weights.

    Args:
        snapshot: the snapshot's folder.
        registry: where names are looked up.
        averaged: take the average of the weights where the run kept one.

    Raises:
        SnapshotError: it cannot be read, or does not say what the network is.
        ConfigError: the configuration does not hold here, for example because a plugin is missing.
        WeightsError: the weights are not of that network.
    """
    found = trained_network(snapshot, registry, averaged=averaged)
    return Rebuilt(Plain(found.network).eval(), found.experiment, snapshot, found.averaged)


def example_of(network: Rebuilt, rows: int) -> Tensor:
    """Return ``rows`` inputs of the experiment's validation data or, where there is none, of its training data.

    Raises:
        LeavenError: the data cannot be read, or its samples lack the network's input.
    """
    given: dict[str, Any] = {
        "nworkers": 0,
        "batch_size": rows,
        "num_mini_batches": 1,
        "feed": feed_on(network.experiment, torch.device("cpu")),
    }
    loader = network.experiment.val_loader(**given) or network.experiment.train_loader(**given)
    with loader:
        _, (sample, *_) = next(iter(loader))
    key = network.plain.input_key
    if key not in sample:
        raise LeavenError(f"the network asks for a key {key!r}; the sample has: {listing(map(str, sample))}")
    image = torch.as_tensor(sample[key])
    return image[torch.arange(rows) % len(image)].clone()  # of a small dataset, the same ones again
