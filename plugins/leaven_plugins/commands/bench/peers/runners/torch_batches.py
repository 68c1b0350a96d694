"""What peers on PyTorch's DataLoader have in common."""

# ruff: noqa: TID252 - see the package

from __future__ import annotations

import torch
from torch.utils.data import RandomSampler

from .request import Request


def endless_order(request: Request) -> RandomSampler:
    """Return an order that does not end within a run, so that the small corpus costs nobody a start of an epoch."""
    generator = torch.Generator().manual_seed(request.seed)
    return RandomSampler(range(request.count), num_samples=request.count * 10**6, generator=generator)
