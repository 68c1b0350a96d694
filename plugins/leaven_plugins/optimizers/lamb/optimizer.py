"""Lamb: makes the optimizer of this name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from leaven_plugins.optimizers.factory import Factory
from leaven_plugins.optimizers.lamb.algorithm import LambOptimizer


@dataclass(frozen=True)
class Lamb(Factory):
    """Adam with a trust ratio for each weight tensor, for large batches (You et al., ICLR 2020).

    Args:
        lr: learning rate, above 0.
        betas: decay of the running means of the gradient and of its square, each from 0 to below 1.
        eps: added to the denominator.
        weight_decay: factor of the weights added to the step, before it is scaled.
        groups, layer_decay, no_decay: see :class:`~leaven_plugins.optimizers.factory.Factory`.

    Raises:
        ParameterError: a value is out of range.
    """

    makes: ClassVar = LambOptimizer

    lr: float = 1e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-6
    weight_decay: float = 0.0
