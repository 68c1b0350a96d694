"""Confusion matrix, IoU, Dice, precision, recall, F1: against loops over pairs, and against torchmetrics."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torchmetrics.functional.classification as reference
from hypothesis import given, settings
from hypothesis import strategies as st

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.confusion_matrix.metric import ConfusionMatrix
from leaven_plugins.metrics.dice.metric import Dice
from leaven_plugins.metrics.iou.metric import IoU
from leaven_plugins.metrics.precision_recall.metric import F1, Precision, Recall

CLASSES = 5
KINDS = {"precision": Precision, "recall": Recall, "f1": F1}
REFERENCES = {
    "precision": reference.multiclass_precision,
    "recall": reference.multiclass_recall,
    "f1": reference.multiclass_f1_score,
}


def pairs(seed, shape=(40,), there=CLASSES):
    """Scores and labels; classes from ``there`` on have no label, and some labels are to be ignored."""
    random = torch.Generator().manual_seed(seed)
    output = torch.randn((shape[0], CLASSES, *shape[1:]), generator=random)
    label = torch.randint(there, shape, generator=random)
    label[torch.rand(shape, generator=random) < 0.2] = -100
    return output, label


def seen(metric, output, label):
    for part in (slice(0, 3), slice(3, None)):
        metric.update({"output": output[part], "label": label[part]})
    return metric


def values(metric, output, label):
    return seen(metric, output, label).compute()


@given(seed=st.integers(0, 99), shape=st.sampled_from([(20,), (4, 3, 5)]))
@settings(max_examples=30)
def test_the_confusion_matrix_counts_pairs(seed, shape):
    output, label = pairs(seed, shape)
    expected = np.zeros((CLASSES, CLASSES), int)
    for row, column in zip(label.flatten().tolist(), output.argmax(1).flatten().tolist(), strict=True):
        if row != -100:
            expected[row, column] += 1
    metric = seen(ConfusionMatrix(CLASSES), output, label)
    assert metric.matrix.dtype == torch.int64
    assert (metric.matrix.numpy() == expected).all()
    hits, wrong, there = metric.true_false_positives().T.numpy()
    assert (hits == expected.diagonal()).all()
    assert (wrong == [sum(expected[row, c] for row in range(CLASSES) if row != c) for c in range(CLASSES)]).all()
    assert (there == expected.sum(1)).all()


def test_each_class_counts_the_same():
    metric = ConfusionMatrix(3)
    scores = torch.eye(3)[torch.tensor([0, 0, 0, 1, 1])]
    metric.update({"output": scores, "label": torch.tensor([0, 0, 0, 1, 0])})
    assert metric.compute() == {"class_accuracy": (3 / 4 + 1) / 2, "worst_class_accuracy": 3 / 4}


def test_class_accuracy_is_macro_recall():
    output, label = pairs(3, there=3)
    found = values(ConfusionMatrix(CLASSES), output, label)["class_accuracy"]
    each = values(Recall(CLASSES, per_class=True), output, label)
    assert found == pytest.approx(np.mean([each[f"recall_{c}"] for c in range(3)]))


@pytest.mark.parametrize("shape", [(40,), (4, 5, 6)])
@pytest.mark.parametrize("there", [CLASSES, 2])
@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("name", KINDS)
def test_ratios_are_those_of_torchmetrics(name, average, there, shape):
    output, label = pairs(1, shape, there)
    found = values(KINDS[name](CLASSES, average=average), output, label)
    options = {"num_classes": CLASSES, "average": average, "ignore_index": -100}
    assert found == {name: pytest.approx(float(REFERENCES[name](output, label, **options)), rel=1e-5)}


@pytest.mark.parametrize("name", KINDS)
def test_each_class_is_that_of_torchmetrics(name):
    output, label = pairs(2)
    found = values(KINDS[name](CLASSES, per_class=True), output, label)
    each = REFERENCES[name](output, label, CLASSES, average=None, ignore_index=-100)
    assert [found[f"{name}_{c}"] for c in range(CLASSES)] == pytest.approx(each.tolist(), rel=1e-5)


@pytest.mark.parametrize("name", KINDS)
def test_binary_takes_one_score_or_two(name):
    random = torch.Generator().manual_seed(0)
    shares, label = torch.rand((50, 1), generator=random), torch.randint(2, (50, 1), generator=random)
    binary = {"precision": "binary_precision", "recall": "binary_recall", "f1": "binary_f1_score"}[name]
    expected = {name: pytest.approx(float(getattr(reference, binary)(shares, label, threshold=0.7)), rel=1e-5)}
    assert values(KINDS[name](2, average="binary", threshold=0.7), shares, label) == expected
    assert values(KINDS[name](2, average="binary", threshold=0.7), shares, label.float()) == expected
    two = torch.cat([0.7 - shares, shares - 0.7], dim=1)
    assert values(KINDS[name](2, average="binary"), two, label) == expected


def test_what_is_neither_there_nor_found_has_no_value():
    output, label = torch.eye(4)[[0, 1, 1, 2]], torch.tensor([0, 1, 0, 0])  # class 2 is found, but not there
    found = values(Precision(4, per_class=True), output, label)
    assert found == pytest.approx(
        {"precision": 0.5, "precision_0": 1, "precision_1": 0.5, "precision_2": 0, "precision_3": math.nan}, nan_ok=True
    )
    assert values(Recall(4), output, label) == {"recall": pytest.approx((1 / 3 + 1 + 0) / 3)}


@pytest.mark.parametrize("there", [CLASSES, 2])
def test_iou_and_dice_are_overlaps_of_regions(there):
    output, label = pairs(4, (3, 6, 5), there)
    output[:, 4] = -9  # class 4 is never found
    kept = (label >= 0).numpy()
    found, actual = output.argmax(1).numpy()[kept], label.numpy()[kept]
    iou, dice = [], []
    for c in range(CLASSES):
        both, either = ((found == c) & (actual == c)).sum(), ((found == c) | (actual == c)).sum()
        iou.append(both / either if either else math.nan)
        dice.append(2 * both / (both + either) if either else math.nan)
    for metric, each in ((IoU(CLASSES, per_class=True), iou), (Dice(CLASSES, per_class=True), dice)):
        key = metric.metric_key
        expected = {key: np.nanmean(each), **{f"{key}_{c}": value for c, value in enumerate(each)}}
        assert values(metric, output, label) == pytest.approx(expected, nan_ok=True)


def test_iou_is_that_of_torchmetrics():
    output, label = pairs(5, (4, 6, 5), there=3)
    expected = float(reference.multiclass_jaccard_index(output, label, CLASSES, ignore_index=-100))
    assert values(IoU(CLASSES), output, label) == {"iou": pytest.approx(expected, rel=1e-5)}


@pytest.mark.parametrize("name", ["confusion_matrix", "iou", "dice", "precision", "recall", "f1"])
def test_wrong_labels_and_parameters_are_refused(name):
    metric = create(f"metric:{name}", classes=3)
    with pytest.raises(LeavenError, match=r"output: 4 classes in an output of \(2, 4\), not 3"):
        metric.update({"output": torch.zeros(2, 4), "label": torch.zeros(2, dtype=torch.int64)})
    metric.update({"output": torch.zeros(3, 3), "label": torch.tensor([0, 3, -1])})
    with pytest.raises(LeavenError, match=r"label: 2 of the labels seen are none of .* only ignore_index=-100 may be"):
        metric.compute()
    with pytest.raises(ParameterError, match="classes=1: must be at least 2"):
        create(f"metric:{name}", classes=1)


def test_wrong_averages_and_names_are_refused():
    with pytest.raises(ParameterError, match="average 'micr', did you mean 'micro'"):
        Precision(3, average="micr")
    with pytest.raises(ParameterError, match="average 'binary' is of two classes, not of 3"):
        F1(3, average="binary")
    with pytest.raises(ParameterError, match="2 names of 3 classes"):
        ConfusionMatrix(3, names=["a", "b"])
