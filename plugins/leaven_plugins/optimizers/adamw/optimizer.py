"""AdamW: makes torch's optimizer of this name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from leaven.errors import ParameterError


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).

    Args:
        lr: learning rate, above 0.
        betas: decay of the running means of the gradient and of its square, each from 0 to below 1.
        eps: added to the denominator.
        weight_decay: share of the weights taken off per step, times the learning rate.

    Raises:
        ParameterError: a value is out of range.
    """

    lr: float = 1e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        if not self.lr > 0 or self.eps < 0 or self.weight_decay < 0:
            raise ParameterError(f"{self}: lr must be above 0, eps and weight_decay not below 0")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ParameterError(f"{self}: betas are two numbers from 0 to below 1")

    def __call__(self, parameters: Iterable[Any]) -> torch.optim.AdamW:
        """Return the optimizer over ``parameters``: tensors, or torch's parameter groups."""
        first, second = self.betas
        return torch.optim.AdamW(
            parameters, lr=self.lr, betas=(first, second), eps=self.eps, weight_decay=self.weight_decay
        )
