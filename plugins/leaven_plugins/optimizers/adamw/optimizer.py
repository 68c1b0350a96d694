"""AdamW: makes torch's optimizer of this name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from leaven_plugins.optimizers.factory import Factory


@dataclass(frozen=True)
class AdamW(Factory):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019).

    Args:
        lr: learning rate, above 0.
        betas: decay of the running means of the gradient and of its square, each from 0 to below 1.
        eps: added to the denominator.
        weight_decay: share of the weights taken off per step, times the learning rate.
        groups, layer_decay, no_decay: see :class:`~leaven_plugins.optimizers.factory.Factory`.

    Raises:
        ParameterError: a value is out of range.
    """

    makes: ClassVar = torch.optim.AdamW

    lr: float = 1e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 1e-2
