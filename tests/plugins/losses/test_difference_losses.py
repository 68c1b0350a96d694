from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.losses.bce.loss import BCE
from leaven_plugins.losses.charbonnier.loss import Charbonnier
from leaven_plugins.losses.huber.loss import Huber
from leaven_plugins.losses.l1.loss import L1
from leaven_plugins.losses.mse.loss import MSE

RANDOM = np.random.default_rng(0)
OUTPUT = RANDOM.normal(size=(3, 2, 5, 4))
TARGET = RANDOM.random((3, 2, 5, 4))
WEIGHTS = np.array([2.0, 5.0]).reshape(1, 2, 1, 1)


def huber(d, delta=0.4):
    return np.where(np.abs(d) <= delta, d**2 / 2, delta * (np.abs(d) - delta / 2))


def entropy(p, t, weight=1.0):
    return -(weight * t * np.log(p) + (1 - t) * np.log(1 - p))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


FORMULAS = [
    (L1, {}, np.abs(OUTPUT - TARGET)),
    (MSE, {}, (OUTPUT - TARGET) ** 2),
    (Huber, {"delta": 0.4}, huber(OUTPUT - TARGET)),
    (Charbonnier, {"eps": 0.01}, np.sqrt((OUTPUT - TARGET) ** 2 + 0.01)),
    (BCE, {"target_key": "target_image"}, entropy(sigmoid(OUTPUT), TARGET)),
    (BCE, {"target_key": "target_image", "pos_weight": 3.0}, entropy(sigmoid(OUTPUT), TARGET, 3.0)),
    (BCE, {"target_key": "target_image", "pos_weight": [2.0, 5.0]}, entropy(sigmoid(OUTPUT), TARGET, WEIGHTS)),
]


@pytest.mark.parametrize(("loss", "params", "each"), FORMULAS)
def test_it_is_the_textbook_formula(loss, params, each):
    sample = {"output": torch.tensor(OUTPUT), "target_image": torch.tensor(TARGET)}
    np.testing.assert_allclose(loss(**params, reduction="none")(sample), each, rtol=1e-12)
    assert float(loss(**params)(sample)) == pytest.approx(each.mean(), rel=1e-12)
    assert float(loss(**params, reduction="sum")(sample)) == pytest.approx(each.sum(), rel=1e-12)


def test_targets_of_any_dtype():
    target = RANDOM.integers(0, 2, (3, 2, 5, 4))
    for dtype in ("uint8", "bool", "int64", "float64"):
        sample = {"output": torch.tensor(OUTPUT, dtype=torch.float32), "target_image": target.astype(dtype)}
        assert float(L1()(sample)) == pytest.approx(np.abs(OUTPUT - target).mean(), rel=1e-6)


@pytest.mark.parametrize("loss", [L1(), BCE(target_key="target_image")])
def test_axes_of_length_one_do_not_count(loss):
    for shapes in (((1, 1), (1,)), ((4, 1), (4,)), ((2, 1, 3, 5), (2, 3, 5)), ((2, 3, 5), (2, 1, 3, 5))):
        output, target = torch.randn(shapes[0]), torch.rand(shapes[1])
        expected = loss({"output": output, "target_image": target.reshape(shapes[0])})
        assert loss({"output": output, "target_image": target}) == expected


@pytest.mark.parametrize(
    ("output", "target"),
    [((4, 3), (4,)), ((4, 3), (4, 1)), ((2, 3, 5), (2, 5, 3)), ((1, 4), (4, 1)), ((4, 3), (1, 3)), ((4, 3), ())],
)
def test_nothing_is_spread_over_other_shapes(output, target):
    with pytest.raises(LeavenError) as error:
        MSE()({"output": torch.zeros(output), "target_image": torch.zeros(target)})
    assert str(error.value) == (
        f"target_image: a target of shape {target} does not fit an output of shape {output} (output); "
        "both have to be the same"
    )


def test_sums_of_half_precision_do_not_overflow():
    output = torch.full((4, 5000), 10.0, dtype=torch.float16)
    value = MSE(reduction="sum")({"output": output, "target_image": torch.zeros(4, 5000)})
    assert (float(value), value.dtype) == (2e6, torch.float32)


def test_an_output_of_integers_is_refused():
    with pytest.raises(LeavenError, match=r"output: expected floats, not torch\.uint8 of \(2, 3\)"):
        L1()({"output": torch.zeros(2, 3, dtype=torch.uint8), "target_image": torch.zeros(2, 3)})


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: L1(reduction="average"), "reduction 'average': expected mean, sum, none"),
        (lambda: Huber(delta=0.0), "huber: delta=0.0: expected a number above 0"),
        (lambda: Charbonnier(eps=-1.0), "charbonnier: eps=-1.0: expected a number above 0"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(make, text):
    with pytest.raises(ParameterError) as error:
        make()
    assert str(error.value) == text


def test_bce_of_probabilities_is_that_of_their_logits():
    logits, target = torch.tensor(OUTPUT), torch.tensor(TARGET)
    expected = BCE(pos_weight=[2.0, 5.0])({"output": logits, "label": target})
    found = BCE(pos_weight=[2.0, 5.0], from_logits=False)({"output": logits.sigmoid(), "label": target})
    assert float(found) == pytest.approx(float(expected), rel=1e-12)


def test_bce_of_certain_probabilities_is_finite():
    output = torch.tensor([[0.0, 1.0, 0.0, 1.0]], requires_grad=True)
    values = BCE(from_logits=False, reduction="none")({"output": output, "label": torch.tensor([[0, 1, 1, 0]])})
    np.testing.assert_allclose(values.detach(), [[0, 0, 16.1, 16.1]], atol=0.2)
    values.sum().backward()
    assert output.grad.isfinite().all()


@pytest.mark.parametrize(("from_logits", "key"), [(True, "label"), (False, "output")])
def test_bce_names_values_that_are_no_probabilities(from_logits, key):
    sample = {"output": torch.full((1, 2), 0.5), "label": torch.full((1, 2), 0.5)}
    sample[key] = torch.tensor([[0.5, 255.0]])
    with pytest.raises(LeavenError, match=f"{key}: expected values from 0 to 1, not 0.5 to 255"):
        BCE(from_logits=from_logits)(sample)


def test_bce_forgives_roundings_of_mixed_labels():
    sample = {"output": torch.zeros(1, 2), "label": torch.tensor([[-1e-4, 1.0005]])}
    assert float(BCE()(sample)) == pytest.approx(np.log(2))


def test_bce_names_weights_that_do_not_fit():
    with pytest.raises(LeavenError, match=r"3 weights do not fit an output of shape \(4, 2\): one for each"):
        BCE(pos_weight=[1.0, 2.0, 3.0])({"output": torch.zeros(4, 2), "label": torch.zeros(4, 2)})
