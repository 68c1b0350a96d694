"""Lion: makes the optimizer of this name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from leaven_plugins.optimizers.factory import Factory
from leaven_plugins.optimizers.lion.algorithm import LionOptimizer


@dataclass(frozen=True)
class Lion(Factory):
    """Steps by the sign of an interpolated momentum (Chen et al., NeurIPS 2023).

    All steps are as long as the learning rate: take a third to a tenth of AdamW's, and as much more weight decay.

    Args:
        lr: learning rate, above 0.
        betas: share of the momentum in the step, and decay of the momentum, each from 0 to below 1.
        weight_decay: share of the weights taken off per step, times the learning rate.
        groups, layer_decay, no_decay: see :class:`~leaven_plugins.optimizers.factory.Factory`.

    Raises:
        ParameterError: a value is out of range.
    """

    makes: ClassVar = LionOptimizer

    lr: float = 1e-4
    betas: Sequence[float] = (0.9, 0.99)
    weight_decay: float = 0.0
