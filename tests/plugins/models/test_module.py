from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from leaven.errors import LeavenError
from leaven_plugins.models.gradients import gradients_only, no_gradients, updating
from leaven_plugins.models.module import Module


class Scaled(Module):
    def __init__(self, scope=""):
        super().__init__(scope)
        self.body = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
        self.factor = 2.0

    def run(self, values, *, times=1):
        return self.body(values) * self.factor * times


def test_a_call_runs_it():
    module = Scaled().eval()
    values = torch.rand(4, 2)
    torch.testing.assert_close(module(values, times=3), module.body(values) * 6)
    assert (module.scope, Scaled("head").scope) == ("Scaled", "head")
    with pytest.raises(NotImplementedError, match="Module has no method 'run'"):
        Module()(values)


def test_paths_read():
    module = Scaled()
    assert module["body/0/weight"] is module.body[0].weight
    assert module["body/1/running_mean"] is module.body[1].running_mean
    assert module["body/1"] is module.body[1]
    assert module["body/0/in_features"] == 2
    assert module["factor"] == 2.0


def test_paths_write():
    module = Scaled().eval()
    module["body/1"] = nn.Identity()
    module["body/0/weight"] = nn.Parameter(torch.ones(3, 2))
    module["body/0/bias"] = None
    module["factor"] = 1.0
    torch.testing.assert_close(module(torch.ones(1, 2)), torch.full((1, 3), 2.0))
    assert list(module.state_dict()) == ["body.0.weight"]
    module["tail"] = nn.Linear(3, 1)
    assert "tail.weight" in module.state_dict()


@pytest.mark.parametrize("path", ["bodi/0", "body/2", "body/0/weight/data", "", "body/", "forward", "_parameters"])
def test_paths_that_lead_nowhere_are_errors(path):
    with pytest.raises(LeavenError, match="Scaled: no '") as caught:
        Scaled()[path]
    if path == "bodi/0":
        assert "did you mean 'body'?; there are: body, factor, scope" in str(caught.value)


@pytest.mark.parametrize("path", ["forward", "body/0/forward", "bodi/x", "factor/x", "", "a.b"])
def test_nothing_is_put_where_it_does_not_belong(path):
    module = Scaled()
    before = copy.deepcopy(module.state_dict())
    with pytest.raises(LeavenError, match=r"^Scaled: "):
        module[path] = nn.Identity()
    assert list(module.state_dict()) == list(before)


def test_all_parameters_and_those_for_weight_decay():
    module = Scaled()
    assert list(module.vars()) == ["body/0/weight", "body/0/bias", "body/1/weight", "body/1/bias"]
    assert all(module[path] is parameter for path, parameter in module.vars().items())
    assert list(module.weights()) == ["body/0/weight"]


def test_device():
    assert Module().device == torch.device("cpu")
    assert Scaled().to("meta").device == torch.device("meta")
    only = Module()
    only.register_buffer("mean", torch.zeros(1, device="meta"))
    assert only.device == torch.device("meta")


@pytest.mark.parametrize(
    ("context", "is_update", "has_gradients"),
    [(updating, True, True), (gradients_only, False, True), (no_gradients, False, False)],
)
@pytest.mark.parametrize("outside", [torch.enable_grad, torch.no_grad])
def test_gradients(context, is_update, has_gradients, outside):
    weight = torch.ones(1, requires_grad=True)
    with outside():
        with context() as update:
            assert update is is_update
            assert (weight * 2).requires_grad == has_gradients
        assert torch.is_grad_enabled() == (outside is torch.enable_grad)
    with pytest.raises(ZeroDivisionError), context():
        raise ZeroDivisionError
    assert torch.is_grad_enabled()
