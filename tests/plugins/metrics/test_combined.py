from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from leaven import create
from leaven.errors import LeavenError, ParameterError
from leaven_plugins.metrics.average.metric import Average
from leaven_plugins.metrics.combined.metric import Combined
from leaven_plugins.metrics.noop.metric import Noop


class Stateless:
    """A metric for one process: it counts batches."""

    def __init__(self):
        self.reset()

    def update(self, sample):
        sample["seen"] = True
        self.batches = self.batches + 1.0

    def compute(self):
        return {"batches": self.batches}

    def reset(self):
        self.batches = 0.0

    def merge(self, other):
        self.batches += other.batches


def test_values_come_in_the_order_of_the_metrics():
    metric = create("metric:combined", metrics=["accuracy", {"use": "average", "output_key": "loss"}, "noop"])
    metric.update({"output": torch.eye(2), "label": torch.tensor([0, 0]), "loss": torch.tensor([3.0, 4.0])})
    assert list(metric.compute().items()) == [("accuracy", 0.5), ("average_metric", 3.5)]


def test_equal_names_are_refused_at_once():
    with pytest.raises(
        ParameterError,
        match=r"'average_metric' is a value of Average \(metric 0\) and of Average \(metric 2\); give one of them",
    ):
        Combined([Average(), Noop(), Average("loss")])
    Combined([Average(), Average("loss", metric_key="loss")])
    with pytest.raises(ParameterError, match="metrics is empty"):
        Combined([])


def test_what_one_writes_the_others_do_not_see():
    sample = {"output": torch.ones(2)}
    Combined([Stateless(), Average()]).update(sample)
    assert list(sample) == ["output"]


def test_only_the_same_metrics_are_merged():
    with pytest.raises(ParameterError, match="combined: Average, Noop cannot be merged with"):
        Combined([Average(), Noop()]).merge(Combined([Noop(), Average()]))


def test_states_are_those_of_all_metrics():
    metric = Combined([Noop(), Average()])
    metric.update({"output": torch.tensor([1.0, 2.0])})
    state = metric.state_dict()
    assert {key: float(value) for key, value in state.items()} == {"1.total": 3.0, "1.rows": 2.0}
    with pytest.raises(LeavenError, match=r"combined: Average cannot go on from a state with '1\.total'"):
        Combined([Average()]).load_state_dict(state)
    with pytest.raises(LeavenError, match="combined: Stateless has no state_dict"):
        Combined([Average(), Stateless()]).state_dict()


def test_it_does_not_need_torch():
    code = (
        "import sys; from leaven import create; metric = create('metric:combined', metrics=['noop']); "
        "metric.update({}); assert metric.compute() == {}; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
