"""How long augmentation of a batch takes on a CUDA device, beside eager operations and the copying of its bytes.

``python tests/bench/gpu/augment.py``; ``--device cpu --rows 4`` shows that it runs. Tone, noise, blur and normalisation
of uint8 images to bfloat16, with values of the RNG mixture. The limit is what reading and writing the images takes at
the bandwidth that a large copy reaches.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from eager import Eager, kornia
from timing import milliseconds

from leaven import create

STATISTICS = ([0.45], [0.22])
DRAWS = {"noise_range": [0, 0.2], "blur_range": [0, 0.02], "brightness_range": [-0.5, 0.5], "contrast_range": [-1, 1]}


def batch(rows: int, device: str, order: str) -> dict[str, Any]:
    """Return a sample dict."""
    rng = create("rng:mixture", prob=0.8, order=order, **DRAWS)
    drawn = [rng.draw(None, None, np.random.default_rng(row)) for row in range(rows)]
    told = [{"gpu_augmentation": True, "cell": [0, row], **values} for row, values in enumerate(drawn)]
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (rows, 3, 224, 224), dtype=np.uint8))
    return {"image": pixels.to(device), "augmentation": told}


def contenders(rows: int, device: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield names and what is to be timed."""
    for order in ("fixed", "random"):
        sample = batch(rows, device, order)
        for name in ("triton", "torch") if device == "cuda" else ("torch",):
            augment = create(f"augmenter:{name}", normalize=STATISTICS, out_dtype="bfloat16")
            yield f"augmenter:{name}, {order} order", lambda augment=augment, sample=sample: augment(sample)
    images = sample["image"]
    eager = Eager(sample["augmentation"], 224, device)
    yield "eager operations, fixed order", lambda: eager(images)
    if (other := kornia()) is not None:
        yield "kornia, fixed order", lambda: other(images)
    yield "uint8 to bfloat16 alone", lambda: images.to(torch.bfloat16)


def bandwidth(device: str, size: int) -> float:
    """Return how many bytes per second a copy of so many reads and writes."""
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / (milliseconds(lambda: target.copy_(source), device, 20) * 1e-3)


def host_milliseconds(rows: int, device: str) -> float:
    """Return how long the host is busy with one batch of torch's augmenter."""
    augment, sample = create("augmenter:torch"), batch(rows, device, "random")
    augment(sample)
    start = time.perf_counter()
    augment(sample)
    return (time.perf_counter() - start) * 1e3


def main(device: str, rows: int, rounds: int) -> None:
    if device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device: nothing was measured")
        return
    traffic = rows * 3 * 224 * 224 * 3  # a byte is read, two are written
    rate = bandwidth(device, 1 << (30 if device == "cuda" else 24))
    limit = traffic / rate * 1e3
    name = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    print(f"{rows} x 3 x 224 x 224 uint8 to bfloat16 on {name}; a copy moves {rate / 1e9:,.0f} GB/s")
    print("| what | ms | images/s | of the limit |\n|---|--:|--:|--:|")
    for what, work in contenders(rows, device):
        took = milliseconds(work, device, rounds)
        print(f"| {what} | {took:.3f} | {rows / took * 1e3:,.0f} | {limit / took:.1%} |", flush=True)
    print(f"| limit: reading and writing | {limit:.3f} | {rows / limit * 1e3:,.0f} | 100.0% |")
    if device == "cuda":
        print(f"the host is busy for {host_milliseconds(rows, device):.2f} ms with a batch of augmenter:torch")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=30)
    main(**vars(parser.parse_args()))
