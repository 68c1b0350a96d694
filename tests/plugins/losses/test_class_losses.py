from __future__ import annotations

import numpy as np
import pytest
import torch

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.losses.cross_entropy.labels import labels_for
from leaven_plugins.losses.cross_entropy.loss import CrossEntropy
from leaven_plugins.losses.label_smoothing.loss import LabelSmoothing
from leaven_plugins.losses.nll.loss import NLL

LOGITS = np.array([[2.0, 0.5, -1.0], [0.0, 0.1, 0.2], [-3.0, 1.0, 1.0], [0.3, 0.3, 4.0]])
LABELS = np.array([[0], [2], [1], [1]])


def log_softmax(logits):
    shifted = logits - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))


def sample(output, label):
    return {"output": torch.tensor(output), "label": torch.tensor(label)}


def test_cross_entropy_is_the_textbook_formula():
    each = -log_softmax(LOGITS)[np.arange(4), LABELS[:, 0]]
    assert float(CrossEntropy()(sample(LOGITS, LABELS))) == pytest.approx(each.mean())
    assert float(CrossEntropy(reduction="sum")(sample(LOGITS, LABELS))) == pytest.approx(each.sum())
    np.testing.assert_allclose(CrossEntropy(reduction="none")(sample(LOGITS, LABELS)), each)


def test_nll_is_the_textbook_formula():
    each = -log_softmax(LOGITS)[np.arange(4), LABELS[:, 0]]
    assert float(NLL()(sample(log_softmax(LOGITS), LABELS))) == pytest.approx(each.mean())


@pytest.mark.parametrize("loss", [CrossEntropy, NLL])
def test_weights_and_ignored_class(loss):
    weight = np.array([1.0, 2.0, 5.0])
    scores = log_softmax(LOGITS)
    kept = LABELS[:, 0] != 1
    weights = weight[LABELS[kept, 0]]
    expected = -(weights * scores[kept, LABELS[kept, 0]]).sum() / weights.sum()
    assert float(loss(weight=weight.tolist(), ignore_index=1)(sample(scores, LABELS))) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [CrossEntropy, NLL])
def test_a_batch_of_one(loss):
    scores = log_softmax(LOGITS)[:1]
    assert float(loss()(sample(scores, LABELS[:1]))) == pytest.approx(-scores[0, 0])


@pytest.mark.parametrize(
    ("output", "target", "shape"),
    [((4, 3), (4,), (4,)), ((4, 3), (4, 1, 1), (4,)), ((1, 3), (1, 1), (1,)), ((2, 3, 5, 1), (2, 1, 5, 1), (2, 5, 1))],
)
def test_axes_of_length_one_do_not_count(output, target, shape):
    assert labels_for(torch.zeros(output), torch.zeros(target, dtype=torch.uint8), "label").shape == shape


@pytest.mark.parametrize(
    ("output", "target"), [((4, 3), (3,)), ((4, 3), (2, 2)), ((2, 3, 5, 7), (2, 7, 5)), ((4,), (4,))]
)
def test_labels_of_another_shape_are_refused(output, target):
    with pytest.raises(LeavenError, match="do not fit"):
        labels_for(torch.zeros(output), torch.zeros(target, dtype=torch.int64), "label")


@pytest.mark.parametrize("dtype", ["uint8", "int32", "uint16", "int64"])
def test_labels_of_any_integer_type(dtype):
    assert float(CrossEntropy()(sample(LOGITS, LABELS.astype(dtype)))) == pytest.approx(
        float(CrossEntropy()(sample(LOGITS, LABELS)))
    )


def test_labels_that_are_no_integers_are_refused():
    with pytest.raises(LeavenError, match=r"label: class numbers must be integers, not torch\.float64"):
        CrossEntropy()(sample(LOGITS, LABELS.astype("float64")))


@pytest.mark.parametrize("bad", [3, -1])
def test_a_label_out_of_range_is_named_with_its_row(bad):
    labels = LABELS.copy()
    labels[2] = bad
    with pytest.raises(LeavenError, match=rf"label: class {bad} in row 2 of the batch, .* 0 to 2"):
        CrossEntropy()(sample(LOGITS, labels))


def test_a_label_out_of_range_in_an_image_of_labels():
    labels = np.zeros((2, 2, 2), "int64")
    labels[1, 0, 1] = 7
    with pytest.raises(LeavenError, match="class 7 in row 1"):
        CrossEntropy()({"output": torch.zeros(2, 3, 2, 2), "label": torch.tensor(labels)})


@pytest.mark.parametrize("loss", [CrossEntropy, NLL])
def test_another_reduction_is_refused(loss):
    with pytest.raises(ParameterError, match=r"'average'.*mean, sum, none"):
        loss(reduction="average")


SHARES = np.array([[0.7, 0.3, 0.0], [0.0, 0.0, 1.0], [0.2, 0.2, 0.6], [1.0, 0.0, 0.0]], "float32")


def test_cross_entropy_of_shares_is_the_textbook_formula():
    each = -(SHARES * log_softmax(LOGITS)).sum(1)
    given = {"output": torch.tensor(LOGITS), "target": torch.tensor(SHARES)}
    assert float(CrossEntropy(target_key="target")(given)) == pytest.approx(each.mean())
    np.testing.assert_allclose(CrossEntropy(target_key="target", reduction="none")(given), each, rtol=1e-6)
    weighted = -(SHARES * [1, 2, 5] * log_softmax(LOGITS)).sum(1)
    loss = CrossEntropy(target_key="target", weight=[1, 2, 5], reduction="sum")
    assert float(loss(given)) == pytest.approx(weighted.sum())


def test_shares_of_one_class_each_are_class_numbers():
    one_hot = np.eye(3, dtype="float32")[LABELS[:, 0]]
    expected = float(CrossEntropy()(sample(LOGITS, LABELS)))
    assert float(CrossEntropy()(sample(LOGITS, one_hot))) == pytest.approx(expected)


def test_shares_for_every_position():
    shares = np.random.default_rng(0).dirichlet([1, 1, 1], (2, 4, 5)).transpose(0, 3, 1, 2)
    logits = np.random.default_rng(1).normal(size=(2, 3, 4, 5))
    expected = -(shares * log_softmax(logits)).sum(1).mean()
    assert float(CrossEntropy()(sample(logits, shares))) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [CrossEntropy, NLL])
def test_shares_of_another_shape_are_refused(loss):
    with pytest.raises(LeavenError, match=r"must be integers, not torch\.float32 of \(4, 2\)"):
        loss()(sample(LOGITS, SHARES[:, :2]))


def test_nll_takes_class_numbers_alone():
    with pytest.raises(LeavenError, match="must be integers"):
        NLL()(sample(LOGITS, SHARES))


# ---- smoothed labels


def smoothed(shares, smoothing):
    return -((shares * (1 - smoothing) + smoothing / shares.shape[1]) * log_softmax(LOGITS)).sum(1)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_label_smoothing_is_the_textbook_formula(smoothing):
    each = smoothed(np.eye(3)[LABELS[:, 0]], smoothing)
    assert float(LabelSmoothing(smoothing)(sample(LOGITS, LABELS))) == pytest.approx(each.mean())
    np.testing.assert_allclose(LabelSmoothing(smoothing, reduction="none")(sample(LOGITS, LABELS)), each)


def test_label_smoothing_of_shares_is_the_textbook_formula():
    found = LabelSmoothing(0.2, reduction="none")(sample(LOGITS, SHARES))
    np.testing.assert_allclose(found, smoothed(SHARES.astype("float64"), 0.2), rtol=1e-6)


@pytest.mark.parametrize("smoothing", [-0.1, 1.5, float("nan")])
def test_smoothing_is_a_share(smoothing):
    with pytest.raises(ParameterError, match=r"label_smoothing: smoothing=.*: expected a number from 0 to 1"):
        LabelSmoothing(smoothing)


# ---- all of them


@pytest.mark.parametrize("loss", [CrossEntropy(), NLL(), LabelSmoothing(0.1), CrossEntropy(weight=[1.0, 2.0, 3.0])])
def test_the_mean_over_no_label_at_all_is_zero(loss):
    output = torch.tensor(LOGITS, requires_grad=True)
    value = loss({"output": output, "label": torch.full((4,), -100)})
    value.backward()
    assert value.item() == 0
    assert not output.grad.any()


@pytest.mark.parametrize("loss", [CrossEntropy, NLL, LabelSmoothing])
def test_the_mean_over_labels_of_weight_0_alone_is_zero(loss):
    output = torch.tensor(LOGITS, requires_grad=True)
    value = loss(weight=[0.0, 1.0, 1.0])({"output": output, "label": torch.tensor([0, 0, -100, 0])})
    value.backward()
    assert value.item() == 0
    assert not output.grad.any()


@pytest.mark.parametrize("loss", [CrossEntropy, NLL, LabelSmoothing])
def test_weights_of_other_classes_are_refused(loss):
    with pytest.raises(LeavenError, match=r"2 weights do not fit an output of shape \(4, 3\): one for each class"):
        loss(weight=[1.0, 2.0])(sample(LOGITS, LABELS))


def test_weights_that_a_validation_made_serve_the_training_after_it():
    loss = CrossEntropy(weight=[0.125, 0.25, 0.375])
    with torch.inference_mode():
        expected = float(loss(sample(LOGITS, LABELS)))
    output = torch.tensor(LOGITS, requires_grad=True)
    value = loss({"output": output, "label": torch.tensor(LABELS)})
    value.backward()
    assert value.item() == expected
