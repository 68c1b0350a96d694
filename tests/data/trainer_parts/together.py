"""What is trained by several processes: each function is called in all of them, and says what came of it."""

from __future__ import annotations

import os
import signal

import torch
from trainer_parts import batch

from leaven_plugins.distributed.world import joined
from leaven_plugins.distributed.wrapping import wrapped
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.snapshots.files import load_snapshot
from leaven_plugins.trainers.standard.trainer import Trainer


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.layers = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))

    def forward(self, sample):
        return {**sample, "output": self.layers(sample["image"])}


def whole(number, rows=8):
    return batch(number, rows)


def part(sample, rank, size, share=None):
    """This rank's rows; ``share`` says how many each gets."""
    rows = len(sample["label"])
    share = share or [rows // size] * size
    start = sum(share[:rank])
    return {key: value[start : start + share[rank]] for key, value in sample.items()}


def run(data, folder=None, world=None, parallel="ddp", epochs=2, **options):
    network = Net()
    if parallel == "fsdp" and world is not None:
        network = wrapped(network, world, "fsdp")
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.05)
    trainer = Trainer(
        *(network, optimizer, CrossEntropy(), Accuracy()),
        **{"train_iter": data, "val_iter": data, "outdir": folder, "parallel": parallel, "world": world, **options},
    )
    return trainer, trainer.train(epochs)


def plain(data, world):
    network = Net()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    return Trainer(network, optimizer, CrossEntropy(), train_iter=data, world=world)


def told(state):
    return {
        "train": state["train_metric_values"],
        "val": state["val_metric_values"],
        "samples": [record["samples"] for record in state["records"]],
        "step": state["step"],
    }


def evenly(folder, options):
    with joined() as world:
        data = [part(whole(number), world.rank, world.size) for number in range(5)]
        _, state = run(data, folder, world, **options)
        return told(state)


def unevenly(shares, options):
    """Each step's rows go to the ranks as ``shares`` says; a rank may get none, or its data may end early."""
    with joined() as world:
        data = []
        for number, share in enumerate(shares):
            rows = part(whole(number), world.rank, world.size, share)
            if share[world.rank]:
                data.append(rows)
        _, state = run(data, None, world, **options)
        return told(state)


def in_parts(counts, options):
    """Each iteration has as many mini-batches on each rank as ``counts`` says; a rank's data may end early."""
    with joined() as world:
        data = []
        for number, each in enumerate(counts):
            start = sum(each[: world.rank])
            data.append([part(whole(number), place, 4) for place in range(start, start + each[world.rank])])
        _, state = run(list(filter(None, data)), None, world, **options)
        return told(state)


def amid_an_epoch(folder):
    """Trained in one go, and from a snapshot within the second epoch."""
    with joined() as world:
        data = [part(whole(number), world.rank, world.size, [5, 3]) for number in range(3)]
        _, state = run(data, folder, world, snapshot_steps=2)
        again, _ = run(data, None, world, epochs=0)
        again.restore(load_snapshot(f"{folder}/snapshots/epoch_0002_step_00000004"))
        return told(state)["train"][1:], told(again.train(2, start_epoch=1))["train"]


def masked():
    """A rank whose only row holds no sample, as a loader makes it for the end of an epoch."""
    with joined() as world:
        first = part(whole(0), world.rank, world.size)
        last = part(whole(1), world.rank, world.size, [8, 0])
        if world.rank:
            last = {
                **{key: value[:1] * 0 for key, value in whole(1).items()},
                "valid": torch.zeros(1, dtype=torch.bool),
            }
        _, state = run([first, last], None, world)
        return told(state)


def stopped():
    with joined() as world:
        data = [part(whole(number), world.rank, world.size) for number in range(5)]
        network = Net()
        trainer = Trainer(
            network, torch.optim.SGD(network.parameters(), 0.1), CrossEntropy(), train_iter=data, world=world
        )

        def look(state, samples):
            if world.rank == 1 and state["step"] == 3:
                trainer.stop("rank 1 has had enough")

        trainer.add_hook("train_step", look)
        state = trainer.train(4)
        return {"steps": world.gather(state["step"]), "reasons": world.gather(state["stopped"])}


def killed():
    with joined() as world:
        data = [part(whole(number), world.rank, world.size) for number in range(50)]

        def die(state, samples):
            if world.rank == 1 and state["step"] == 3:
                os.kill(os.getpid(), signal.SIGKILL)

        network = Net()
        trainer = Trainer(
            network, torch.optim.SGD(network.parameters(), 0.1), CrossEntropy(), train_iter=data, world=world
        )
        trainer.add_hook("train_step", die)
        trainer.train(100)
