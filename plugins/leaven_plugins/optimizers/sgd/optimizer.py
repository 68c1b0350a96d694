"""SGD: makes torch's optimizer of this name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from leaven.errors import ParameterError


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with momentum.

    Args:
        lr: learning rate, above 0.
        momentum: share of the last step that goes on, from 0.
        weight_decay: factor of the weights added to the gradient.
        nesterov: look ahead along the momentum, which must then be above 0.

    Raises:
        ParameterError: a value is out of range.
    """

    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        if not self.lr > 0 or self.momentum < 0 or self.weight_decay < 0:
            raise ParameterError(f"{self}: lr must be above 0, momentum and weight_decay not below 0")
        if self.nesterov and self.momentum == 0:
            raise ParameterError(f"{self}: nesterov needs a momentum above 0")

    def __call__(self, parameters: Iterable[Any]) -> torch.optim.SGD:
        """Return the optimizer over ``parameters``: tensors, or torch's parameter groups."""
        return torch.optim.SGD(
            parameters,
            lr=self.lr,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.nesterov,
        )
