from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven.errors import ParameterError
from leaven_plugins.optimizers.adamw.optimizer import AdamW
from leaven_plugins.optimizers.sgd.optimizer import SGD


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


@pytest.mark.parametrize(
    "build",
    [
        lambda: SGD(lr=0),
        lambda: SGD(momentum=-1),
        lambda: SGD(momentum=0, nesterov=True),
        lambda: AdamW(lr=float("nan")),
        lambda: AdamW(betas=(0.9, 1.0)),
        lambda: AdamW(betas=(0.9,)),
        lambda: AdamW(weight_decay=-1),
    ],
)
def test_values_out_of_range_are_refused(build):
    with pytest.raises(ParameterError, match=r"(SGD|AdamW)\(.*"):
        build()
