from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from leaven import Registry, create
from leaven.errors import ParameterError
from leaven_plugins.optimizers.adamw.optimizer import AdamW
from leaven_plugins.optimizers.lamb.optimizer import Lamb
from leaven_plugins.optimizers.lion.optimizer import Lion
from leaven_plugins.optimizers.sgd.optimizer import SGD
from leaven_plugins.optimizers.torch_optimizers.optimizers import RMSprop, Rprop

NAMES = [offer.component.name for offer in Registry(builtin_only=True).offers("optimizer")]
OF_TORCH = sorted(set(NAMES) - {"lion", "lamb"})


def steps(factory, gradients):
    weight = torch.nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    optimizer = factory([weight])
    for gradient in gradients:
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
    return weight.detach().numpy()


GRADIENTS = [[0.5, 1.0], [-0.2, 0.3], [0.1, 0.1]]


def test_sgd_is_the_textbook_formula():
    weight, speed = np.array([1.0, -2.0]), np.zeros(2)
    for gradient in np.array(GRADIENTS):
        speed = 0.5 * speed + gradient + 0.01 * weight
        weight = weight - 0.1 * speed
    np.testing.assert_allclose(steps(SGD(lr=0.1, momentum=0.5, weight_decay=0.01), GRADIENTS), weight)


def test_adamw_is_the_textbook_formula():
    weight, mean, square = np.array([1.0, -2.0]), np.zeros(2), np.zeros(2)
    for t, gradient in enumerate(np.array(GRADIENTS), 1):
        weight = weight * (1 - 0.01 * 0.1)
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        weight = weight - 0.01 * (mean / (1 - 0.8**t)) / (np.sqrt(square / (1 - 0.9**t)) + 1e-8)
    np.testing.assert_allclose(steps(AdamW(lr=0.01, betas=(0.8, 0.9), weight_decay=0.1), GRADIENTS), weight)


def test_lion_is_algorithm_2_of_its_paper():
    weight, momentum = np.array([1.0, -2.0]), np.zeros(2)
    for gradient in np.array(GRADIENTS):
        update = np.sign(0.7 * momentum + 0.3 * gradient)
        weight = weight - 0.01 * (update + 0.1 * weight)
        momentum = 0.8 * momentum + 0.2 * gradient
    np.testing.assert_allclose(steps(Lion(lr=0.01, betas=(0.7, 0.8), weight_decay=0.1), GRADIENTS), weight)


@pytest.mark.parametrize("scale", [1, 100])
def test_lamb_is_algorithm_2_of_its_paper(scale):
    """With a norm of the weights below and above what is clipped, and without correction of biases."""
    weight, mean, square = np.array([1.0, -2.0]) * scale, np.zeros(2), np.zeros(2)
    held = torch.nn.Parameter(torch.tensor(weight))
    optimizer = Lamb(lr=0.01, betas=(0.8, 0.9), eps=1e-6, weight_decay=0.1)([held])
    for gradient in np.array(GRADIENTS):
        held.grad = torch.tensor(gradient)
        optimizer.step()
        mean = 0.8 * mean + 0.2 * gradient
        square = 0.9 * square + 0.1 * gradient**2
        step = mean / (np.sqrt(square) + 1e-6) + 0.1 * weight
        weight = weight - 0.01 * min(np.linalg.norm(weight), 10) / np.linalg.norm(step) * step
    np.testing.assert_allclose(held.detach().numpy(), weight)


def test_lamb_moves_weights_that_are_zero():
    held = torch.nn.Parameter(torch.zeros(3))
    optimizer = Lamb(lr=0.1)([held])
    held.grad = torch.tensor([1.0, -1.0, 0.0])
    optimizer.step()
    assert torch.isfinite(held).all()
    assert held[0] < 0 < held[1]
    assert held[2] == 0


@pytest.mark.parametrize("name", OF_TORCH)
def test_the_values_of_torchs_optimizers_get_there(name):
    """The defaults are torch's own, but for SGD; what is not named is left to torch."""
    factory = create(f"optimizer:{name}", lr=0.125)
    optimizer = factory([torch.nn.Parameter(torch.zeros(2))])
    assert type(optimizer).__name__ == type(factory).__name__
    assert type(optimizer).__module__.startswith("torch.optim")
    assert optimizer.defaults["lr"] == 0.125
    known = inspect.signature(type(optimizer)).parameters
    for field in set(factory.__dataclass_fields__) & set(known) - {"lr"}:
        given = getattr(factory, field)
        assert optimizer.defaults.get(field, given) == given
        assert given == known[field].default or name == "sgd"


@pytest.mark.parametrize("name", NAMES)
def test_each_makes_a_loss_smaller_and_goes_on_from_its_state(name):
    """Two runs, of which one is interrupted, end at the same weights."""
    ends = []
    for interrupted in (False, True):
        torch.manual_seed(0)
        network, data = torch.nn.Linear(4, 1), torch.randn(16, 4)
        optimizer = create(f"optimizer:{name}")(network.parameters())
        losses = []
        for step in range(6):
            if interrupted and step == 3:
                state = optimizer.state_dict()
                optimizer = create(f"optimizer:{name}")(network.parameters())
                optimizer.load_state_dict(state)
            optimizer.zero_grad()
            loss = (network(data) - data.sum(1, keepdim=True)).square().mean()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        assert losses[-1] < losses[0]
        ends.append(network.weight.detach().clone())
    assert torch.equal(*ends)


@pytest.mark.parametrize("name", ["lion", "lamb"])
def test_a_closure_is_called_with_gradients(name):
    held = torch.nn.Parameter(torch.ones(2))
    optimizer = create(f"optimizer:{name}")([held, torch.nn.Parameter(torch.ones(1))])  # one has no gradient

    def closure():
        optimizer.zero_grad()
        loss = held.square().sum()
        loss.backward()
        return loss.item()

    assert optimizer.step(closure) == 2
    assert held[0] < 1


def test_lists_of_a_configuration_will_do_for_pairs():
    assert create({"use": "optimizer:adam", "betas": [0.5, 0.6]})([torch.nn.Parameter(torch.zeros(1))])
    assert create({"use": "optimizer:rprop", "etas": [0.5, 1.5]})([torch.nn.Parameter(torch.zeros(1))])


@pytest.mark.parametrize(
    "build",
    [
        lambda: SGD(lr=0),
        lambda: SGD(momentum=-1),
        lambda: SGD(momentum=0, nesterov=True),
        lambda: AdamW(lr=float("nan")),
        lambda: AdamW(lr=float("inf")),
        lambda: AdamW(betas=(0.9, 1.0)),
        lambda: AdamW(betas=(0.9,)),
        lambda: AdamW(weight_decay=-1),
        lambda: AdamW(layer_decay=0),
        lambda: AdamW(groups=[{"lr": 0.1}]),
        lambda: AdamW(groups=[{"match": "*", "lr": -1}]),
        lambda: AdamW(groups=[{"match": "*", "rate": 1}]),
        lambda: RMSprop(alpha=1.5),
        lambda: Rprop(etas=(0.5, 0.6)),
        lambda: Rprop(step_sizes=(2, 1)),
        lambda: Rprop(no_decay=True),
        lambda: Lion(betas=(0.9, -0.1)),
        lambda: Lamb(eps=-1),
    ],
)
def test_values_out_of_range_are_refused(build):
    with pytest.raises(ParameterError, match=r"(SGD|AdamW|RMSprop|Rprop|Lion|Lamb)\(.*"):
        build()
