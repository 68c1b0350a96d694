"""Training along sequences and traces by several processes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from leaven_plugins.distributed.world import joined
from leaven_plugins.losses.mse.loss import MSE
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.trainers.recurrent.trainer import RecurrentTrainer
from leaven_plugins.trainers.recurrent.unrolled import Unrolled
from leaven_plugins.trainers.tracing.trainer import TracingTrainer


class Cell(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.read = torch.nn.LSTMCell(2, 4), torch.nn.Linear(4, 1)

    def forward(self, sample):
        state = self.cell(sample["image"], sample["state"])
        return {"output": self.read(state[0]), "state": state}


class Reader(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, sample):
        return {**sample, "output": self.layer(sample["image"])}


class Walk:
    """An example of some steps, whose samples depend on all outputs before."""

    def __init__(self, number, length):
        self.length, self.place = length, [float(number), 0.0]

    def start(self):
        return {"image": np.float32(self.place), "target": np.float32([1])}

    def is_on_track(self, output):
        return True

    def follow(self, output):
        self.place = [self.place[0] + float(output), self.place[1] + 1]
        return self.start() if self.place[1] < self.length else None

    def state_dict(self):
        return {"place": self.place}

    def load_state_dict(self, state):
        self.place = state["place"]


class Walks:
    def __init__(self, rank):
        self.rank = rank

    def __iter__(self):
        return (Walk(number / 4 + self.rank, 2 + number % 3) for number in range(4 + 3 * self.rank))


def a_trainer(kind, rank, folder):
    torch.manual_seed(0)
    network = Unrolled(Cell()) if kind == "recurrent" else Reader()
    optimizer = torch.optim.SGD(network.parameters(), 0.05)
    options = {"loss": MSE(target_key="target"), "outdir": folder, "snapshot_steps": 2, "keep_last": None}
    if kind == "tracing":
        return TracingTrainer(network, optimizer, train_iter=Walks(rank), batch_size=3, limit_train=7, **options)
    random = torch.Generator().manual_seed(rank)
    data = [{"image": torch.randn(3, 7, 2, generator=random), "target": torch.ones(3, 7, 1)} for _ in range(2 + rank)]
    return RecurrentTrainer(network, optimizer, train_iter=data, bptt=2, **options)


def gone_on_with(kind, folder):
    """Train, and again from each snapshot within an epoch; return the weights at the end of all, by snapshot."""
    with joined() as world:
        whole = a_trainer(kind, world.rank, Path(folder) / "whole")
        whole.train(2)
        found = {"whole": _weights(whole)}
        for path in sorted((Path(folder) / "whole" / "snapshots").glob("*step*"))[:3]:
            again = a_trainer(kind, world.rank, Path(folder) / path.name)
            assert not again.restore(load_snapshot(path)).ignored
            again.train(2, start_epoch=again.state["epoch"])
            found[path.name] = _weights(again)
        return found


def _weights(trainer):
    return torch.cat([parameter.detach().flatten() for parameter in trainer.state["network"].parameters()]).tolist()
