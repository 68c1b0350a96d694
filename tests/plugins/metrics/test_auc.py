from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import multiclass_auroc

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.auc.metric import AUC


def reference(scores, is_positive):
    """Count the pairs of a positive and a negative that are in order; ties count half."""
    gaps = scores[is_positive][:, None] - scores[~is_positive][None]
    return np.mean((gaps > 0) + 0.5 * (gaps == 0))


def value(metric, output, label):
    for part in (slice(0, 5), slice(5, None)):
        metric.update({"output": output[part], "label": label[part]})
    return metric.compute()


@given(seed=st.integers(0, 99), levels=st.sampled_from([2, 5, 1000]))
@settings(max_examples=30)
def test_it_is_the_share_of_pairs_in_order(seed, levels):
    random = np.random.default_rng(seed)
    scores, labels = random.integers(0, levels, 30) / levels, random.integers(0, 2, 30)
    labels[:2] = 0, 1
    expected = {"auc": pytest.approx(reference(scores, labels == 1))}
    assert value(AUC(), torch.tensor(scores)[:, None], torch.tensor(labels)) == expected
    two = torch.tensor(np.stack([-scores, scores], axis=1))
    assert value(AUC(), two, torch.tensor(labels)) == expected


def test_confident_logits_do_not_tie():
    """The softmax of each of these is exactly 1 in float32."""
    output, label = torch.tensor([[0.0, 40.0], [0.0, 60.0], [0.0, 50.0]]), torch.tensor([0, 1, 1])
    assert (output.softmax(1)[:, 1] == 1).all()
    metric = AUC()
    metric.update({"output": output, "label": label})
    assert metric.compute() == {"auc": 1.0}


@pytest.mark.parametrize("logits", [True, False])
def test_of_several_classes_it_is_that_of_torchmetrics(logits):
    random = torch.Generator().manual_seed(0)
    output, label = torch.randn((60, 4), generator=random), torch.randint(4, (60,), generator=random)
    shares = output.softmax(1)
    found = value(AUC(logits=logits, per_class=True), output if logits else shares, label)
    each = multiclass_auroc(shares, label, 4, average=None).tolist()
    assert found == pytest.approx({"auc": np.mean(each), **{f"auc_{c}": each[c] for c in range(4)}}, rel=1e-5)


def test_classes_that_are_not_there_have_no_area():
    random = torch.Generator().manual_seed(1)
    output, label = torch.randn((20, 3), generator=random), torch.arange(20) % 2
    found = value(AUC(per_class=True), output, label)
    assert math.isnan(found["auc_2"])
    assert found["auc"] == pytest.approx((found["auc_0"] + found["auc_1"]) / 2)
    assert math.isnan(value(AUC(), output[:, :2], torch.ones(20, dtype=torch.int64))["auc"])


def test_it_keeps_scores_and_not_the_networks_memory():
    output, label = torch.tensor([[0.0, 1.0], [0.0, 2.0]]), torch.tensor([0, 1])
    metric = AUC()
    metric.update({"output": output, "label": label})
    output.neg_()
    label.neg_()
    assert metric.compute() == {"auc": 1.0}


def test_pixels_count_one_by_one_and_some_not_at_all():
    random = torch.Generator().manual_seed(2)
    output, label = torch.randn((6, 2, 3, 3), generator=random), torch.randint(2, (6, 3, 3), generator=random)
    label[:, 0] = 255
    kept = (label != 255).numpy()
    gap = (output[:, 1] - output[:, 0]).numpy()[kept]
    expected = reference(gap, label.numpy()[kept] == 1)
    assert value(AUC(ignore_index=255), output, label) == {"auc": pytest.approx(expected)}


def test_what_cannot_be_ranked_is_refused():
    metric = AUC()
    metric.update({"output": torch.tensor([[0.0, math.nan], [0.0, 2.0]]), "label": torch.tensor([0, 1])})
    with pytest.raises(LeavenError, match=r"the scores of 1 of 2 samples are not numbers \(NaN\)"):
        metric.compute()
    with pytest.raises(LeavenError, match="auc: 3 classes after 2"):
        metric.update({"output": torch.zeros(1, 3), "label": torch.tensor([0])})
    metric.reset()
    metric.update({"output": torch.zeros(1, 3), "label": torch.tensor([3])})
    with pytest.raises(LeavenError, match="label: 1 of the labels seen is none of the output's classes"):
        metric.compute()
    with pytest.raises(ParameterError, match=r"AUC\(.*\) cannot be merged with AUC\("):
        metric.merge(AUC(logits=False))
    with pytest.raises(LeavenError, match="auc: cannot go on from a state of hits"):
        metric.load_state_dict({"hits": torch.zeros(1)})
