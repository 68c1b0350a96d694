"""Accelerate around leaven's loader: network and optimizer are prepared, the loader stays as it is.

    pip install accelerate
    accelerate launch examples/accelerate_loop.py

Accelerate's own loader would divide each batch among the processes once more: leaven's takes its rank and the world's
size from the environment, and brings the batches to the device itself.
"""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import nn

from leaven_plugins.feeds.torch import TorchTurboDataLoader

WORKER = {"use": "classification", "image": ((1, 8, 8), "uint8")}


def main() -> None:
    """Train on the digits, and print how many others are recognised."""
    if find_spec("accelerate") is None:
        print("this example needs Accelerate: pip install accelerate")
        return
    from accelerate import Accelerator
    from accelerate.utils import set_seed

    set_seed(0)
    torch.set_num_threads(1)  # the network is so small that threads would wait for each other
    accelerator = Accelerator()
    device = str(accelerator.device)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    net, optimizer = accelerator.prepare(plain, torch.optim.AdamW(plain.parameters(), 0.005))
    options = {"device": device, "shuffle": True, "last_batch": "drop"}
    with TorchTurboDataLoader("dataset:digits", 64, WORKER, nworkers=2, **options) as loader:
        for _ in range(5):
            for _, mini_batches in loader:
                for sample in mini_batches:
                    loss = nn.functional.cross_entropy(net(sample["image"] / 255), sample["label"][:, 0])
                    optimizer.zero_grad()
                    accelerator.backward(loss)
                    optimizer.step()
    val = {"use": "dataset:digits", "split": "val"}
    with TorchTurboDataLoader(val, 100, WORKER, nworkers=0, device=device, world_size=1) as loader, torch.no_grad():
        hits = [plain(sample["image"] / 255).argmax(1) == sample["label"][:, 0] for _, (sample,) in loader]
    accelerator.print(f"accuracy {torch.cat(hits).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
