from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from leaven import create
from leaven.errors import ParameterError
from leaven_plugins.models.freezing import freeze, unfreeze


@pytest.fixture
def model():
    model = create("model:resnet18", classes=2, width=4, stem="small")
    for name, parameter in model.named_parameters():
        if name.endswith("bn2.weight"):  # 0 at first, so that what is before it does not change
            nn.init.ones_(parameter)
    return model


def trained_step(model):
    """Return what one step of training changes, weights and statistics."""
    before = copy.deepcopy(model.state_dict())
    model.train()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1, weight_decay=0.1)
    output = model({"image": torch.rand(4, 3, 8, 8)})["output"]
    nn.functional.cross_entropy(output, torch.tensor([0, 1, 0, 1])).backward()
    optimizer.step()
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def of(model, *fronts):
    return {name for name in model.state_dict() if name.startswith(fronts)}


def test_what_is_frozen_stays_as_it_is_while_the_rest_is_trained(model):
    names = freeze(model, ["conv1", "bn1", "layer[12]", "layer3.0.conv1.weight"])
    still = of(model, "conv1", "bn1", "layer1", "layer2", "layer3.0.conv1")
    assert set(names) == still & {name for name, _ in model.named_parameters()}
    assert trained_step(model) == of(model, "") - still


def test_statistics_go_on_where_they_are_not_to_be_kept(model):
    freeze(model, "bn1", keep_statistics=False)
    assert {"bn1.running_mean", "bn1.running_var"} <= trained_step(model)


def test_what_is_frozen_can_be_thawed(model):
    freeze(model, "*")
    assert not any(p.requires_grad for p in model.parameters())
    freeze(model, "bn1")
    copied = copy.deepcopy(model)
    assert unfreeze(model, "bn1") == ["bn1.weight", "bn1.bias"]
    assert trained_step(model) == of(model, "bn1")
    assert set(unfreeze(model)) == {name for name, _ in model.named_parameters()}
    assert trained_step(model) == of(model, "")
    freeze(copied, "*")
    unfreeze(copied, "fc")
    assert trained_step(copied) == of(copied, "fc")


def test_a_name_that_leads_nowhere_is_an_error(model):
    with pytest.raises(
        ParameterError, match=r"no weights 'layer5', did you mean 'layer[1-4]'\?; the network has: avgpool"
    ):
        freeze(model, ["layer1", "layer5"])
    assert all(p.requires_grad for p in model.parameters())
