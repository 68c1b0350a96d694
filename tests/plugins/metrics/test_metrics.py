from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Metric
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.average.metric import Average


def batch(scores, labels):
    return {"output": torch.as_tensor(scores), "label": torch.as_tensor(labels)}


def reference_accuracy(scores, labels, k):
    ranked = np.argsort(-scores, axis=1)[:, :k]
    return float((ranked == labels[:, None]).any(1).mean())


@given(rows=st.lists(st.integers(1, 7), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_accuracy_over_batches_is_that_of_all_rows(rows, seed):
    random = np.random.default_rng(seed)
    scores, labels = random.normal(size=(sum(rows), 6)), random.integers(0, 6, sum(rows))
    metric = Accuracy(top_k=(1, 3))
    for start, count in zip(np.cumsum([0, *rows]), rows, strict=False):
        metric.update(batch(scores[start : start + count], labels[start : start + count, None]))
    assert metric.compute() == {
        "accuracy": pytest.approx(reference_accuracy(scores, labels, 1)),
        "top3_accuracy": pytest.approx(reference_accuracy(scores, labels, 3)),
    }


def test_accuracy_merges_by_samples():
    scores = np.eye(5)
    first, second = Accuracy(), Accuracy()
    first.update(batch(scores, np.arange(5)))
    second.update(batch(scores[:3], np.array([1, 2, 0])))
    first.merge(second)
    assert first.compute() == {"accuracy": 5 / 8}
    assert second.compute() == {"accuracy": 0.0}


def test_accuracy_forgets():
    metric = Accuracy()
    metric.update(batch(np.eye(2), np.array([0, 1])))
    metric.reset()
    assert math.isnan(metric.compute()["accuracy"])


def test_accuracy_of_an_image_of_labels():
    scores = np.zeros((1, 2, 2, 2))
    scores[0, 1, 0, :] = 1  # class 1 in the upper row
    metric = Accuracy()
    metric.update(batch(scores, np.array([[[1, 1], [0, 1]]])))
    assert metric.compute() == {"accuracy": 3 / 4}


def test_accuracy_leaves_out_what_is_to_be_ignored():
    metric = Accuracy(ignore_index=255)
    metric.update(batch(np.eye(4), np.array([0, 255, 2, 1])))
    assert metric.compute() == {"accuracy": pytest.approx(2 / 3)}


def test_accuracy_says_that_labels_are_no_classes():
    metric = Accuracy()
    metric.update(batch(np.eye(4), np.array([0, 4, -100, -1])))
    with pytest.raises(LeavenError, match="label: 2 of the labels seen are none of the output's classes; only ignore"):
        metric.compute()


def test_accuracy_of_shares_is_that_of_the_largest():
    metric = Accuracy()
    metric.update(batch(np.eye(3), np.array([[0.6, 0.4, 0], [0.6, 0.4, 0], [0.1, 0.2, 0.7]])))
    assert metric.compute() == {"accuracy": pytest.approx(2 / 3)}


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "int64", "float16"])
def test_accuracy_of_one_hot_labels_of_any_dtype(dtype):
    metric = Accuracy()
    metric.update(batch(np.eye(3), np.eye(3)[[0, 2, 2]].astype(dtype)))
    assert metric.compute() == {"accuracy": pytest.approx(2 / 3)}


@given(seed=st.integers(0, 99))
def test_exact_match_is_of_whole_rows(seed):
    random = np.random.default_rng(seed)
    scores, labels = random.random((9, 3)), random.integers(0, 2, (9, 3))
    metric = Accuracy(multi_label=True)
    for part in (slice(0, 2), slice(2, 9)):
        metric.update(batch(scores[part], labels[part]))
    assert metric.compute() == {
        "exact_match": pytest.approx(np.mean([(np.round(s) == t).all() for s, t in zip(scores, labels, strict=True)]))
    }


def test_accuracy_refuses():
    with pytest.raises(ParameterError, match="top_k"):
        Accuracy(top_k=0)
    with pytest.raises(ParameterError, match="top_k"):
        Accuracy(top_k=())
    with pytest.raises(ParameterError, match="no meaning with multi_label"):
        Accuracy(top_k=2, multi_label=True)
    with pytest.raises(LeavenError, match=r"label: shape \(2,\) is not that of the output, \(2, 3\)"):
        Accuracy(multi_label=True).update(batch(np.zeros((2, 3)), np.zeros(2)))
    with pytest.raises(LeavenError, match="top_k=4 of an output with 3 classes"):
        Accuracy(top_k=4).update(batch(np.zeros((1, 3)), np.zeros(1, "int64")))
    with pytest.raises(ParameterError, match="merged"):
        Accuracy().merge(Accuracy(top_k=5))


@given(rows=st.lists(st.integers(1, 7), min_size=1, max_size=4), seed=st.integers(0, 99))
def test_average_over_batches_is_that_of_all_rows(rows, seed):
    values = np.random.default_rng(seed).normal(size=(sum(rows), 2, 3))
    metric = Average("gap", "mean_gap")
    for start, count in zip(np.cumsum([0, *rows]), rows, strict=False):
        metric.update({"gap": torch.tensor(values[start : start + count])})
    assert metric.compute() == {"mean_gap": pytest.approx(values.mean())}


def test_average_counts_a_scalar_as_one_row():
    metric = Average()
    for value in (1.0, 2.0, 6.0):
        metric.update({"output": torch.tensor(value)})
    assert metric.compute() == {"average_metric": 3.0}


def test_average_merges_by_rows_and_forgets():
    first, second = Average(), Average()
    first.update({"output": torch.ones(3)})
    second.update({"output": torch.zeros(1)})
    first.merge(second)
    assert first.compute() == {"average_metric": 0.75}
    first.reset()
    assert math.isnan(first.compute()["average_metric"])
    with pytest.raises(ParameterError, match="merged"):
        first.merge(Accuracy())


@pytest.mark.parametrize("metric", [Accuracy(), Average()])
def test_they_are_metrics(metric):
    assert isinstance(metric, Metric)
