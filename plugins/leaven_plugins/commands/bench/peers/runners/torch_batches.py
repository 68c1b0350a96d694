"""What peers on PyTorch's DataLoader have in common."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler

from .consuming import Batch
from .request import Request


def batches_of(
    pictures: Dataset[tuple[torch.Tensor, int]], request: Request, settle: Callable[[int], None]
) -> Iterator[Batch]:
    """Yield batches of worker processes, collated as by default; each calls ``settle`` with its number first."""
    loader: DataLoader[Any] = DataLoader(
        pictures,
        request.batch_size,
        sampler=_endless_order(request),
        num_workers=request.workers,
        worker_init_fn=settle,
        persistent_workers=True,
    )
    for images, labels in loader:
        yield images.numpy(), labels.numpy()


def _endless_order(request: Request) -> RandomSampler:
    """Return an order that does not end within a run, so that the small corpus costs nobody a start of an epoch."""
    generator = torch.Generator().manual_seed(request.seed)
    return RandomSampler(range(request.count), num_samples=request.count * 10**6, generator=generator)
