"""What the trainer costs beside a bare loop: CPU time of the same steps, as A B B A; ``python overhead.py``."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.models.tiny_cnn.model import TinyCNN
from leaven_plugins.trainers.standard.trainer import Trainer

Sample = dict[str, Any]


def bare(data: list[Sample], width: int) -> float:
    network, optimizer = parts(width)
    loss, metric = CrossEntropy(), Accuracy()
    began = time.process_time()
    network.train()
    total = 0.0
    for sample in data:
        optimizer.zero_grad()
        output = network(sample)
        value = loss(output)
        value.backward()
        optimizer.step()
        with torch.no_grad():
            metric.update(output)
        total += float(value.detach()) * len(sample["label"])
    return time.process_time() - began


def trained(data: list[Sample], width: int) -> float:
    network, optimizer = parts(width)
    trainer = Trainer(network, optimizer, CrossEntropy(), Accuracy(), train_iter=data)
    began = time.process_time()
    trainer.train_epoch(1, 1)
    return time.process_time() - began


def parts(width: int) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    network = TinyCNN(classes=10, channels=3, width=width)
    return network, torch.optim.AdamW(network.parameters(), lr=1e-3)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--width", type=int, default=8)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    random = torch.Generator().manual_seed(0)
    data = [
        {
            "image": torch.randint(0, 256, (32, 3, 32, 32), dtype=torch.uint8, generator=random),
            "label": torch.randint(0, 10, (32, 1), generator=random),
        }
        for _ in range(chosen.steps)
    ]
    bare(data[:20], chosen.width)
    trained(data[:20], chosen.width)
    ratios, steps = [], []
    for _ in range(chosen.rounds):
        order: list[Callable[[list[Sample], int], float]] = [bare, trained, trained, bare]
        times = [function(data, chosen.width) for function in order]
        ratios.append((times[1] + times[2]) / (times[0] + times[3]))
        steps.append((times[0] + times[3]) / 2 / chosen.steps * 1e3)
    print(f"a step of the bare loop: {statistics.median(steps):.2f} ms of CPU time (median of {chosen.rounds})")
    print(f"trainer / bare loop: {statistics.median(ratios):.4f} (from {min(ratios):.4f} to {max(ratios):.4f})")


if __name__ == "__main__":
    main()
