from __future__ import annotations

import copy
import io

import pytest
import torch
from rich.console import Console
from torch import nn

from leaven import create
from leaven.errors import LeavenError
from leaven_plugins.models.summary import Layer, summary


def test_numbers_are_those_counted_by_hand():
    """Of 2 rows of 6 x 8 pixels; a multiplication and an addition are two operations."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(48, 5))
    network[3].bias.requires_grad_(False)
    found = summary(network, torch.zeros(2, 3, 6, 8))
    convolution, linear = 2 * (2 * 3 * 4 * 4 * 27), 2 * (2 * 5 * 48)
    assert found.layers == (
        Layer("0", "Conv2d", (2, 4, 3, 4), 4 * 27 + 4, convolution),
        Layer("1", "ReLU", (2, 4, 3, 4), 0, 0),
        Layer("2", "Flatten", (2, 48), 0, 0),
        Layer("3", "Linear", (2, 5), 5 * 48 + 5, linear),
    )
    assert (found.parameters, found.trainable, found.flops) == (112 + 245, 112 + 240, convolution + linear)


def test_a_model_of_the_published_size_has_the_published_work():
    """He et al., table 1: 1.8 * 10**9 multiplications and additions for an image of 224 x 224."""
    with torch.device("meta"):
        model = create("model:resnet18")
    found = summary(model, {"image": torch.zeros(1, 3, 224, 224, dtype=torch.uint8, device="meta")})
    assert found.parameters == sum(layer.parameters for layer in found.layers) == 11_689_512
    assert found.flops == sum(layer.flops for layer in found.layers) == 2 * 1_814_073_344


def test_attention_is_counted():
    """Four projections of 5 x 16 by 16 x 16, and in each of 2 heads two products of 5 x 8 with 8 x 5 elements."""
    found = summary(SelfAttention(), torch.zeros(1, 5, 16))
    assert found.flops == 2 * (4 * 5 * 16 * 16) + 2 * (2 * 2 * 5 * 8 * 5)


class SelfAttention(nn.MultiheadAttention):
    def __init__(self):
        super().__init__(16, 2, batch_first=True, bias=False)

    def forward(self, values):
        return super().forward(values, values, values, need_weights=False)


class Shared(nn.Module):
    """One layer under two names, called three times; a parameter of its own; a layer that is not called."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4, bias=False)
        self.second = self.first
        self.idle = nn.Linear(4, 2)
        self.own = nn.Parameter(torch.eye(4))

    def forward(self, sample):
        values = self.first(self.second(self.first(sample["x"]))) @ self.own
        return {**sample, "y": values}


def test_work_of_shared_and_idle_layers_and_of_a_module_itself():
    found = summary(Shared(), {"x": torch.zeros(3, 4), "key": ["a"]})
    once = 2 * 3 * 4 * 4
    assert found.layers == (
        Layer("", "Shared", (3, 4), 16, once),
        Layer("first", "Linear", (3, 4), 16, 3 * once),
        Layer("idle", "Linear", None, 10, 0),
    )
    assert (found.parameters, found.flops) == (42, 4 * once)


def test_nothing_is_changed():
    model = create("model:vgg11", classes=2, width=1, batch_norm=True)
    model.features[0].eval()
    modes = [module.training for module in model.modules()]
    before, chance = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    summary(model, {"image": torch.zeros(1, 3, 32, 32)})
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), chance)
    assert torch.backends.mha.get_fastpath_enabled()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    assert model({"image": torch.rand(2, 3, 32, 32)})["output"].sum().backward() is None


def test_it_prints_a_table():
    found = summary(create("model:tiny_cnn", classes=2, width=4), {"image": torch.zeros(1, 1, 32, 32)})
    lines = str(found).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "FLOPs"]
    assert lines[1].split() == ["layers.0", "Conv2d", "1", "x", "4", "x", "32", "x", "32", "36", "73,728"]
    assert lines[-1].split()[-2:] == [f"{found.parameters:,}", f"{found.flops:,}"]
    assert len(lines) == len(found.layers) + 2
    console = Console(file=io.StringIO(), width=60)
    console.print(found)
    assert "layers.0" in console.file.getvalue()


class Choosy(nn.Module):
    def forward(self, values):
        return values if values.sum() > 0 else -values


def test_a_module_that_looks_at_values_is_an_error():
    module = Choosy()
    with pytest.raises(LeavenError, match="Choosy needs values of a tensor"):
        summary(module, torch.zeros(3))
    assert module.training
    assert not module._forward_hooks
