"""What the tests of the trainer train: small networks, and data that can be gone on with."""

from __future__ import annotations

import numpy as np
import torch

from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.trainers.standard.trainer import Trainer


class Dropping(torch.nn.Module):
    """A network whose training depends on torch's generator, and that has running statistics."""

    def __init__(self, seed=0, rate=0.5):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.first, self.last = torch.nn.Linear(5, 8), torch.nn.Linear(8, 3)
        self.norm, self.drop = torch.nn.BatchNorm1d(8), torch.nn.Dropout(rate)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
            self.norm.weight.fill_(1)

    def forward(self, sample):
        hidden = self.drop(torch.relu(self.norm(self.first(sample["image"]))))
        return {**sample, "output": self.last(hidden)}


def batch(seed, rows=4):
    random = np.random.default_rng(seed)
    return {
        "image": torch.tensor(random.normal(size=(rows, 5)), dtype=torch.float32),
        "label": torch.tensor(random.integers(0, 3, (rows, 1))),
    }


def trainer(train_iter, network=None, optimizer=None, **options):
    network = network or Dropping()
    optimizer = optimizer or torch.optim.AdamW(network.parameters(), lr=0.02)
    return Trainer(network, optimizer, CrossEntropy(), Accuracy(), train_iter=train_iter, **options)


def same(one, other, path="state"):
    """Hold that two states of tensors and plain data are equal, bit for bit."""
    if isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype, path
        assert torch.equal(one, other), path
    elif isinstance(one, dict):
        assert one.keys() == other.keys(), path
        for key in one:
            same(one[key], other[key], f"{path}.{key}")
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), path
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            same(mine, theirs, f"{path}[{place}]")
    else:
        assert one == other, path
