from __future__ import annotations

import inspect
import random
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from leaven.testing import ModelContract
from leaven_plugins.models.pixels import unit_range


class TestTinyCNN(ModelContract):
    spec = "model:tiny_cnn"
    params = {"classes": 5, "channels": 3, "width": 4}
    output_shape = (5,)


class TestTinyMLP(ModelContract):
    spec = "model:tiny_mlp"
    params = {"features": 48, "classes": 5}
    image_shape = (3, 4, 4)
    output_shape = (5,)


class TestTinyFCN(ModelContract):
    spec = "model:tiny_fcn"
    params = {"classes": 4, "width": 4}
    image_shape = (3, 17, 30)
    output_shape = (4, 17, 30)


class TestTinySaliency(ModelContract):
    spec = "model:tiny_saliency"
    params = {"width": 4}
    image_shape = (3, 17, 30)
    output_shape = (1, 17, 30)


class TestUNet(ModelContract):
    spec = "model:unet"
    params = {"classes": 4, "depth": 2, "width": 4}
    image_shape = (3, 17, 30)
    output_shape = (4, 17, 30)


class TestResNet18(ModelContract):
    spec = "model:resnet18"
    params = {"classes": 5, "width": 4, "stem": "small", "channels": 1}
    image_shape = (1, 16, 20)
    output_shape = (5,)


class TestResNet50(ModelContract):
    spec = "model:resnet50"
    params = {"classes": 5, "width": 4, "normalize": True}
    output_shape = (5,)


class TestVGG11(ModelContract):
    spec = "model:vgg11"
    params = {"classes": 5, "width": 1, "batch_norm": True, "dropout": 0.1}
    output_shape = (5,)


class TestWrapped(ModelContract):
    spec = "model:wrapped"
    params = {"module": "torch.nn:Conv2d", "params": {"in_channels": 3, "out_channels": 2, "kernel_size": 3}}
    output_shape = (2, 30, 30)


# ---- each test of the contract can fail


class Sound(nn.Module):
    """One layer over all pixels."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(12, 5)

    def forward(self, sample):
        return {**sample, "output": self.logits(unit_range(sample["image"], self.layer.weight.dtype).flatten(1))}

    def logits(self, pixels):
        return self.layer(pixels)


class InPlace(Sound):
    def forward(self, sample):
        sample |= super().forward(sample)
        return sample


class Unscaled(Sound):
    def forward(self, sample):
        return {**sample, "output": self.layer(sample["image"].to(self.layer.weight.dtype).flatten(1))}


class Mixing(Sound):
    def logits(self, pixels):
        return self.layer(pixels - pixels.mean(0))


class Counting(Sound):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def logits(self, pixels):
        self.calls += 1
        return self.layer(pixels)


class Idle(Sound):
    def __init__(self):
        super().__init__()
        self.idle = nn.Linear(2, 2)


class Forgetful(Sound):
    def __init__(self):
        super().__init__()
        self.scale = random.random()

    def logits(self, pixels):
        return self.layer(pixels) * self.scale


class Tied(Sound):
    def __init__(self):
        super().__init__()
        self.logits = lambda pixels, layer=self.layer: layer(pixels)


class Single(Sound):
    def forward(self, sample):
        return {**sample, "output": self.layer(unit_range(sample["image"]).flatten(1))}


class Waiting(Sound):
    def logits(self, pixels):
        return self.layer(pixels / float(pixels.amax()))


class Suite(ModelContract):
    spec = "model:faulty"
    image_shape = (3, 2, 2)
    output_shape = (5,)


FAULTS = {
    "it_adds_its_output": InPlace,
    "images_have_unit_range": Unscaled,
    "rows_are_evaluated_one_by_one": Mixing,
    "to_evaluate_changes_nothing": Counting,
    "each_weight_has_a_gradient": Idle,
    "its_state_makes_another_one_the_same": Forgetful,
    "a_copy_is_on_its_own": Tied,
    "half_precision_is_no_trouble": Single,
    "nothing_waits_for_a_device": Waiting,
}


def run(name, build):
    """Run one test of the contract on a model."""
    suite, registry = Suite(), SimpleNamespace(create=lambda spec: build())
    values = {"torch": torch, "model": build(), "registry": registry, "arguments": {}}
    values["sample"] = inspect.unwrap(ModelContract.sample)(suite, torch)
    test = getattr(suite, f"test_{name}")
    test(**{parameter: values[parameter] for parameter in inspect.signature(test).parameters})


def test_there_is_a_fault_for_each_test():
    own = {name.removeprefix("test_") for name in vars(ModelContract) if name.startswith("test_")}
    assert own == set(FAULTS)


@pytest.mark.parametrize("name", FAULTS)
def test_each_test_finds_a_fault(name):
    run(name, Sound)
    with pytest.raises((AssertionError, RuntimeError, NotImplementedError)):
        run(name, FAULTS[name])
