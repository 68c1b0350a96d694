"""Torch's further optimizers, each by its own name and with the defaults that torch has.

All take ``groups``, ``layer_decay`` and ``no_decay`` as well, see :class:`~leaven_plugins.optimizers.factory.Factory`,
and raise a :class:`~leaven.errors.ParameterError` for a value that is out of range. ``lr`` is the learning rate, above
0; ``eps`` is added to denominators; ``weight_decay`` is a factor of the weights that is added to the gradient, from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from leaven_plugins.optimizers.factory import Factory


@dataclass(frozen=True)
class Adam(Factory):
    """Adam (Kingma and Ba, ICLR 2015).

    Args:
        betas: decay of the running means of the gradient and of its square, each from 0 to below 1.
        amsgrad: use the largest mean square so far (Reddi, Kale and Kumar, ICLR 2018).
    """

    makes: ClassVar = torch.optim.Adam

    lr: float = 1e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    amsgrad: bool = False


@dataclass(frozen=True)
class NAdam(Factory):
    """Adam with Nesterov momentum (Dozat, ICLR workshop 2016).

    Args:
        betas: decay of the running means of the gradient and of its square, each from 0 to below 1.
        momentum_decay: how fast the momentum grows to its full value, from 0.
    """

    makes: ClassVar = torch.optim.NAdam

    lr: float = 2e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 4e-3


@dataclass(frozen=True)
class RAdam(Factory):
    """Rectified Adam (Liu et al., "On the Variance of the Adaptive Learning Rate and Beyond", ICLR 2020).

    Args:
        betas: decay of the running means of the gradient and of its square, each from 0 to below 1.
    """

    makes: ClassVar = torch.optim.RAdam

    lr: float = 1e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Adamax(Factory):
    """Adam with the infinity norm (Kingma and Ba, ICLR 2015).

    Args:
        betas: decay of the running mean of the gradient and of its largest magnitude, each from 0 to below 1.
    """

    makes: ClassVar = torch.optim.Adamax

    lr: float = 2e-3
    betas: Sequence[float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Adagrad(Factory):
    """Rates by the sum of squared gradients (Duchi, Hazan and Singer, JMLR 2011).

    Args:
        lr_decay: after ``n`` steps the rate is divided by ``1 + n * lr_decay``; from 0.
        initial_accumulator_value: what the sum begins with, from 0.
    """

    makes: ClassVar = torch.optim.Adagrad

    lr: float = 1e-2
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10


@dataclass(frozen=True)
class Adadelta(Factory):
    """Rates by running means of squared gradients and squared steps (Zeiler, 2012).

    Args:
        rho: decay of the running means, 0 to 1.
    """

    makes: ClassVar = torch.optim.Adadelta

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    weight_decay: float = 0.0


@dataclass(frozen=True)
class RMSprop(Factory):
    """Rates by a running mean of squared gradients (Tieleman and Hinton, lecture 6.5 of their Coursera course, 2012).

    Args:
        alpha: decay of the running mean, 0 to 1.
        momentum: share of the last step that goes on, from 0.
        centered: by the variance instead of the mean square.
    """

    makes: ClassVar = torch.optim.RMSprop

    lr: float = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    centered: bool = False


@dataclass(frozen=True)
class ASGD(Factory):
    """Averaged stochastic gradient descent (Polyak and Juditsky, SIAM Journal on Control and Optimization, 1992).

    Args:
        lambd: decay term of the rate, from 0.
        alpha: power by which the rate falls, 0 to 1.
        t0: step from which on is averaged.
    """

    makes: ClassVar = torch.optim.ASGD

    lr: float = 1e-2
    lambd: float = 1e-4
    alpha: float = 0.75
    t0: float = 1e6
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Rprop(Factory):
    """Steps by the sign of the gradient, for whole datasets at a time (Riedmiller and Braun, ICNN 1993).

    Args:
        etas: what a step size is multiplied with when the sign changes (below 1), and when it does not (above 1).
        step_sizes: the least and the largest step.
    """

    makes: ClassVar = torch.optim.Rprop

    lr: float = 1e-2
    etas: Sequence[float] = (0.5, 1.2)
    step_sizes: Sequence[float] = (1e-6, 50.0)


@dataclass(frozen=True)
class Adafactor(Factory):
    """Adam with second moments kept as a row and a column for each matrix (Shazeer and Stern, ICML 2018).

    Args:
        beta2_decay: power of the step number by which the decay of the mean square goes to 1, from 0 down.
        d: a step whose mean square is above this is scaled down. Above 0.
        weight_decay: share of the weights taken off per step, times the learning rate.
    """

    makes: ClassVar = torch.optim.Adafactor

    lr: float = 1e-2
    beta2_decay: float = -0.8
    d: float = 1.0
    weight_decay: float = 0.0
