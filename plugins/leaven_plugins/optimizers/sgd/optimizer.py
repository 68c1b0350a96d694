"""SGD: makes torch's optimizer of this name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from leaven.errors import ParameterError
from leaven_plugins.optimizers.factory import Factory


@dataclass(frozen=True)
class SGD(Factory):
    """Stochastic gradient descent with momentum.

    Args:
        lr: learning rate, above 0.
        momentum: share of the last step that goes on, from 0.
        weight_decay: factor of the weights added to the gradient.
        nesterov: look ahead along the momentum, which must then be above 0.
        groups, layer_decay, no_decay: see :class:`~leaven_plugins.optimizers.factory.Factory`.

    Raises:
        ParameterError: a value is out of range.
    """

    makes: ClassVar = torch.optim.SGD

    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and self.momentum == 0:
            raise ParameterError(f"{self}: nesterov needs a momentum above 0")
