from __future__ import annotations

import math

import pytest
import torch
import torchmetrics
from torchmetrics.utilities import dim_zero_max, dim_zero_mean

from leaven.errors import LeavenError, ParameterError, UnknownName
from leaven_plugins.metrics.accuracy.metric import Accuracy
from leaven_plugins.metrics.torchmetrics.metric import TorchMetric


def batch(seed, rows=8):
    random = torch.Generator().manual_seed(seed)
    return {
        "output": torch.randn((rows, 4), generator=random),
        "label": torch.randint(4, (rows, 1), generator=random),
        "target_image": torch.randn((rows, 4), generator=random),
    }


def of_classes(average="micro", **more):
    return TorchMetric("Accuracy", {"task": "multiclass", "num_classes": 4, "average": average}, **more)


class Extremes(torchmetrics.Metric):
    """States with rules that few metrics have: a mean, a maximum, one of its own."""

    full_state_update = False

    def __init__(self, **options):
        super().__init__(**options)
        self.add_state("mean", torch.tensor(0.0), dist_reduce_fx=dim_zero_mean)
        self.add_state("top", torch.tensor(-9.0), dist_reduce_fx=dim_zero_max)
        self.add_state("product", torch.tensor(1.0), dist_reduce_fx=lambda parts: parts.prod(0))

    def update(self, preds, target):
        self.mean = (self.mean * (self.update_count - 1) + preds.mean()) / self.update_count
        self.top = torch.maximum(self.top, preds.max())
        self.product = self.product * preds.abs().mean()

    def compute(self):
        return {"mean": self.mean, "top": self.top, "product": self.product}


class NoRule(Extremes):
    def __init__(self, **options):
        super().__init__(**options)
        self.add_state("last", torch.tensor(0.0), dist_reduce_fx=None)


def test_it_measures_what_ours_measures():
    metric, ours = of_classes(), Accuracy()
    for seed in range(3):
        metric.update(batch(seed, rows=3 + seed))
        ours.update(batch(seed, rows=3 + seed))
    assert metric.compute() == pytest.approx(ours.compute())


def test_outputs_may_be_prepared():
    sample = batch(0)
    classes, prepared = of_classes(prepare="argmax"), of_classes()
    for metric in (classes, prepared):
        metric.update(sample)
    assert classes.compute() == prepared.compute()
    sigmoid = TorchMetric("MeanSquaredError", target_key="target_image", prepare="sigmoid", metric_key="error")
    sigmoid.update(sample)
    expected = (sample["output"].sigmoid() - sample["target_image"]).square().mean()
    assert sigmoid.compute() == {"error": pytest.approx(float(expected))}


def test_vectors_and_dicts_have_a_name_for_each_number():
    vector = of_classes("none")
    vector.update(batch(1))
    assert list(vector.compute()) == [f"accuracy_{c}" for c in range(4)]
    extremes = TorchMetric(f"{__name__}:Extremes")
    assert list(extremes.compute()) == ["extremes"]
    assert math.isnan(extremes.compute()["extremes"])
    extremes.update(batch(1))
    assert list(extremes.compute()) == ["extremes_mean", "extremes_top", "extremes_product"]
    matrix = TorchMetric("ConfusionMatrix", {"task": "multiclass", "num_classes": 4})
    matrix.update(batch(1))
    with pytest.raises(LeavenError, match=r"ConfusionMatrix gives a value of shape \(4, 4\): expected numbers"):
        matrix.compute()


def test_states_are_merged_by_their_rules():
    whole, first, second = (TorchMetric(f"{__name__}:Extremes") for _ in range(3))
    for seed in range(5):
        whole.update(batch(seed))
        (first if seed < 1 else second).update(batch(seed))
    before = second.compute()
    first.merge(second)
    assert first.compute() == pytest.approx(whole.compute())
    assert second.compute() == before


def test_what_has_no_rule_is_not_merged():
    one, other = (TorchMetric(f"{__name__}:NoRule") for _ in range(2))
    with pytest.raises(ParameterError, match="cannot be merged: it has no rule for its state 'last'"):
        one.merge(other)
    with pytest.raises(ParameterError, match="Accuracy cannot be merged with"):
        of_classes().merge(of_classes(prepare="argmax"))


def test_a_state_of_another_metric_is_refused():
    with pytest.raises(
        LeavenError, match=r"Extremes cannot go on from a state of .*: expected mean, product, top, upd"
    ):
        TorchMetric(f"{__name__}:Extremes").load_state_dict(of_classes().state_dict())


def test_processes_are_not_gathered_twice():
    assert not of_classes()._metric.sync_on_compute


def test_wrong_names_and_parameters_are_refused():
    with pytest.raises(UnknownName, match="torchmetrics has no metric 'Acuracy', did you mean 'Accuracy'"):
        TorchMetric("Acuracy")
    with pytest.raises(UnknownName, match=r"there is no module 'torchmetrics\.nowhere'"):
        TorchMetric("torchmetrics.nowhere:Accuracy")
    with pytest.raises(ParameterError, match=r"MeanSquaredError: .*colour"):
        TorchMetric("MeanSquaredError", {"colour": 3})
    with pytest.raises(ParameterError, match=r"torch\.nn:ReLU is not a torchmetrics\.Metric"):
        TorchMetric("torch.nn:ReLU")
    with pytest.raises(ParameterError, match="prepare 'round': expected none, argmax, softmax, sigmoid"):
        TorchMetric("MeanSquaredError", prepare="round")
    with pytest.raises(ParameterError, match="MinMaxMetric is made of other metrics"):
        TorchMetric("torchmetrics.wrappers:MinMaxMetric", {"base_metric": torchmetrics.MeanSquaredError()})
