"""A loop of one's own around leaven's loader, on the device with the most free memory, or on the CPU.

python examples/bare_loop.py
"""

from __future__ import annotations

import torch
from torch import nn

from leaven_plugins.devices.choice import chosen
from leaven_plugins.feeds.torch import TorchTurboDataLoader

WORKER = {"use": "classification", "image": ((1, 8, 8), "uint8")}


def main() -> None:
    """Train on the digits, and print how many others are recognised."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the network is so small that threads would wait for each other
    device = chosen("auto")
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), 0.005)
    training = TorchTurboDataLoader("dataset:digits", 64, WORKER, nworkers=2, device=str(device), shuffle=True)
    with training as loader:
        for epoch in range(4):
            total = torch.zeros((), device=device)
            for _, mini_batches in loader:
                for sample in mini_batches:
                    loss = nn.functional.cross_entropy(net(sample["image"] / 255), sample["label"][:, 0])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    total += loss.detach()  # no .item(): it would wait for the device in each step
            print(f"epoch {epoch + 1}: loss {total.item() / len(loader):.3f}")
    print(f"accuracy {accuracy(net, device):.3f} on {device}")


@torch.no_grad()
def accuracy(net: nn.Module, device: torch.device) -> float:
    """Return the share of the validation images that are recognised."""
    dataset = {"use": "dataset:digits", "split": "val"}
    hits, rows = torch.zeros((), device=device), 0
    with TorchTurboDataLoader(dataset, 100, WORKER, nworkers=0, device=str(device)) as loader:
        for _, (sample,) in loader:
            hits += (net(sample["image"] / 255).argmax(1) == sample["label"][:, 0]).sum()
            rows += len(sample["label"])
    return hits.item() / rows


if __name__ == "__main__":
    main()
