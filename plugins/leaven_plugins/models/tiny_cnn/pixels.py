"""Pixels of any depth as numbers that a network can start from."""

from __future__ import annotations

import torch
from torch import Tensor


def unit_range(image: Tensor) -> Tensor:
    """Return ``image`` as float32: integers divided by the largest value of their dtype, floats as they are."""
    if image.is_floating_point():
        return image.float()
    return image.float() / torch.iinfo(image.dtype).max
