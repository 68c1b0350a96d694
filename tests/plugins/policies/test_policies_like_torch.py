"""Policies beside torch's schedulers of the same kind."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch.optim import lr_scheduler

from leaven_plugins.policies.chain.policy import Chain
from leaven_plugins.policies.cosine.policy import Cosine
from leaven_plugins.policies.exp.policy import Exp
from leaven_plugins.policies.noop.policy import Noop
from leaven_plugins.policies.one_cycle.policy import OneCycle
from leaven_plugins.policies.plateau.policy import Plateau
from leaven_plugins.policies.poly.policy import Poly
from leaven_plugins.policies.step.policy import Step
from leaven_plugins.policies.warmup.policy import Warmup
from leaven_plugins.policies.wave.policy import Wave


def optimizer(lr):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)


def of_torch(build, count, lr=0.3):
    """Return the rate of each of ``count`` steps."""
    used = optimizer(lr)
    scheduler = build(used)
    rates = []
    for _ in range(count):
        rates.append(used.param_groups[0]["lr"])
        used.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on an order of calls that differs from scheduler to scheduler
            scheduler.step()
    return rates


PAIRS = {
    "poly": (Poly(0.7), 20, lambda o: lr_scheduler.PolynomialLR(o, 20, power=0.7)),
    "cosine": (Cosine(0.1), 20, lambda o: lr_scheduler.CosineAnnealingLR(o, 20, eta_min=0.03)),
    "cosine there and back": (
        Cosine(cycles=2, restart=False),
        20,
        lambda o: lr_scheduler.CosineAnnealingLR(o, 10),
    ),
    "cosine that restarts": (
        Cosine(cycles=3, growth=2),
        35,
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, T_mult=2),
    ),
    "step": (Step(0.5, 6), 20, lambda o: lr_scheduler.StepLR(o, 6, gamma=0.5)),
    "exp": (Exp(0.8), 20, lambda o: lr_scheduler.ExponentialLR(o, 0.8)),
    "wave": (
        Wave(8, 0.5),
        20,
        lambda o: lr_scheduler.CyclicLR(o, 0.15, 0.3, step_size_up=4, mode="triangular2", cycle_momentum=False),
    ),
    "warmup": (Warmup(Noop(), 5, start=0.2), 20, lambda o: lr_scheduler.LinearLR(o, 0.2, 1.0, total_iters=5)),
    "warmup of a cosine": (
        Warmup(Cosine(), 5, start=0.2, shifted=True),
        20,
        lambda o: lr_scheduler.SequentialLR(
            o,
            [lr_scheduler.LinearLR(o, 0.2, 1.0, total_iters=5), lr_scheduler.CosineAnnealingLR(o, 15)],
            milestones=[5],
        ),
    ),
    "chain": (
        Chain([Noop(), Exp(0.8)], until=[5]),
        20,
        lambda o: lr_scheduler.SequentialLR(
            o, [lr_scheduler.ConstantLR(o, 1.0, 5), lr_scheduler.ExponentialLR(o, 0.8)], milestones=[5]
        ),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_rates_are_those_of_torch(name):
    policy, length, build = PAIRS[name]
    rates = [policy.value(0.3, step, length) for step in range(length)]
    np.testing.assert_allclose(rates, of_torch(build, length), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
def test_one_cycle_is_that_of_torch_whose_last_step_is_the_end(strategy):
    steps, share = 21, 0.3
    scheduler = {"max_lr": 0.3, "total_steps": steps, "anneal_strategy": strategy, "cycle_momentum": False}
    expected = of_torch(lambda o: lr_scheduler.OneCycleLR(o, pct_start=share, **scheduler), steps - 1)
    policy = OneCycle(pct_start=(share * steps - 1) / (steps - 1), anneal_strategy=strategy)
    np.testing.assert_allclose([policy.value(0.3, step, steps - 1) for step in range(steps - 1)], expected)
    assert policy.value(0.3, steps - 1, steps - 1) == pytest.approx(0.3 / 25 / 1e4)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(("patience", "cooldown", "floor"), [(0, 0, 0.0), (2, 0, 0.0), (1, 3, 0.01), (0, 1, 1e-3)])
def test_plateau_is_that_of_torch(mode, threshold_mode, patience, cooldown, floor):
    shared = {"mode": mode, "factor": 0.5, "patience": patience, "threshold": 0.05, "cooldown": cooldown}
    used = optimizer(0.3)
    scheduler = lr_scheduler.ReduceLROnPlateau(used, threshold_mode=threshold_mode, min_lr=floor, **shared)
    policy = Plateau(threshold_mode=threshold_mode, min_value=floor, **shared)
    measured = np.random.default_rng(patience).choice([0.1, 0.2, 0.21, 0.5, 1.0, float("nan")], 60)
    for epoch, value in enumerate(measured, 1):
        scheduler.step(value)
        policy.observe(value, epoch)
        expected = used.param_groups[0]["lr"]
        assert policy.value(0.3, epoch, 60) == pytest.approx(expected, rel=1e-9, abs=2e-8)  # torch stops at 1e-8
    assert policy.reductions > 1
