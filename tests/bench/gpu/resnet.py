"""How fast a network trains in bfloat16, fed by the loader with augmentation on the device, and fed with one batch.

``python tests/bench/gpu/resnet.py``; ``--device cpu --model resnet18 --rows 2 --iterations 2`` shows that it runs.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

import torch
from torch.nn import functional

from leaven import TurboDataLoader, create
from leaven_plugins.photos.shipped import photo

WARM_UP = 5  # iterations that do not count: kernels are chosen and compiled


def fed(rows: int, iterations: int, device: str, workers: int) -> Iterator[dict[str, Any]]:
    """Yield batches of a photograph, cropped by workers."""
    data = photo("chelsea")
    samples = [{"image": data, "label": number % 1000} for number in range(rows * iterations)]
    worker = {
        "use": "classification",
        "image": ((3, 224, 224), "uint8"),
        "image_rng": {"use": "mixture", "scale_range": [1, 1.5], "noise_range": [0, 0.2], "blur_range": [0, 0.02]},
        "gpu_augmentation": True,
    }
    feed = create("feed:torch", device=device)
    with TurboDataLoader(samples, rows, worker, nworkers=workers, feed=feed) as loader:
        yield from (sample for _, (sample,) in loader)


class Step:
    """Augmentation and one step of training."""

    def __init__(self, model: str, device: str) -> None:
        kind = "triton" if device == "cuda" else "torch"
        self.augment = create(f"augmenter:{kind}", normalize=([0.45], [0.22]), out_dtype="bfloat16")
        self.net = create(f"model:{model}", classes=1000).to(device, memory_format=torch.channels_last)
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.01, momentum=0.9)
        self.device = device

    def __call__(self, sample: dict[str, Any]) -> None:
        """Train on one batch."""
        sample = self.augment(sample)
        sample["image"] = sample["image"].contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device, torch.bfloat16):
            loss = functional.cross_entropy(self.net(sample)["output"], sample["label"][:, 0])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def rate(step: Step, batches: Iterable[dict[str, Any]], warm_up: int) -> float:
    """Return images per second, after ``warm_up`` batches."""
    images, start = 0, time.perf_counter()
    for number, sample in enumerate(batches):
        if number == warm_up:
            _finish(step.device)
            images, start = 0, time.perf_counter()
        step(sample)
        images += len(sample["label"])
    _finish(step.device)
    return images / (time.perf_counter() - start)


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def main(device: str, model: str, rows: int, iterations: int, workers: int) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device: nothing was measured")
        return
    warm_up = min(WARM_UP, iterations - 1)
    step = Step(model, device)
    one = next(fed(rows, 1, device, 0))
    alone = rate(step, (dict(sample) for sample in repeat(one, iterations)), warm_up)
    loaded = rate(step, fed(rows, iterations, device, workers), warm_up)
    print(f"{model}, bfloat16, {rows} images of 224 x 224 at a time, {workers} workers")
    print("| fed by | images/s |\n|---|--:|")
    print(f"| one batch, again and again | {alone:,.1f} |")
    print(f"| the loader | {loaded:,.1f} ({loaded / alone:.0%}) |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--model", default="resnet50")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    main(**vars(parser.parse_args()))
