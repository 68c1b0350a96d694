"""Pixels of any depth as numbers that a network can start from."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def unit_range(image: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """Return ``image`` as ``dtype``: integers divided by the largest value of theirs, floats as they are.

    Args:
        image: of any shape.
        dtype: that of the weights which come next, so that a model may be ``half()`` or ``double()`` as a whole.
    """
    if image.is_floating_point():
        return image.to(dtype)
    return (image.float() / torch.iinfo(image.dtype).max).to(dtype)


def weights_dtype(module: nn.Module) -> torch.dtype:
    """Return the dtype of the first weights of a module; float32 where it has none."""
    for weights in module.parameters():
        if weights.is_floating_point():
            return weights.dtype
    return torch.float32
