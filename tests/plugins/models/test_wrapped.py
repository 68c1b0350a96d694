from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch import nn

from leaven import create
from leaven.errors import ParameterError
from leaven_plugins.models.normalize import Normalize, Standardize
from leaven_plugins.models.unpacker import Unpacker

IMAGE = torch.tensor([[[[0, 255]], [[51, 102]], [[255, 0]]]], dtype=torch.uint8)  # one row of 3 channels, 1 x 2 pixels


class Recorder(nn.Module):
    def forward(self, image):
        self.seen = image
        return image.sum((1, 2, 3))


def make_recorder(eager=True):
    return Recorder() if eager else "lazy"


INSTANCE = Recorder()


def wrapped(module, **params):
    return create("model:wrapped", module=module, **params)


@pytest.mark.parametrize("name", ["Recorder", "make_recorder", "INSTANCE"])
def test_a_class_a_function_and_a_module_are_found(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "wrapped_parts", sys.modules[__name__])
    sample = {"x": IMAGE}
    made = wrapped(f"wrapped_parts:{name}", input_key="x", output_key="y")(sample)
    torch.testing.assert_close(made["y"], IMAGE.float().sum((1, 2, 3)) / 255)
    assert made["x"] is IMAGE
    assert set(sample) == {"x"}


def test_a_module_itself_is_taken_and_trained():
    layer = nn.Conv2d(3, 2, 1)
    model = wrapped(layer)
    assert [id(p) for p in model.parameters()] == [id(p) for p in layer.parameters()]
    assert model.double()({"image": IMAGE})["output"].dtype == torch.float64


def test_without_scale_the_tensor_comes_as_it_is():
    recorder = Recorder()
    wrapped(recorder, scale=False)({"image": IMAGE})
    assert recorder.seen is IMAGE


@pytest.mark.parametrize(
    ("module", "params", "text"),
    [
        ("torch.nn.Conv2d", {}, "expected a name such as 'package.module:name'"),
        ("torch.nnn:Conv2d", {}, "cannot be imported: No module named 'torch.nnn'"),
        ("torch.nn:Conv2", {}, "torch.nn has no 'Conv2', did you mean 'Conv2d'\\?"),
        ("torch.nn:Conv2d", {"channels": 3}, "missing a required argument: 'in_channels'; it takes: in_channels, "),
        ("torch.nn:Identity", None, ""),
        ("math:pi", {}, "'math:pi' is of type float, not a module"),
        ("collections:OrderedDict", {}, "made an object of type OrderedDict, not a torch.nn.Module"),
        (nn.Identity(), {"a": 1}, "is a module already, and takes no params: a"),
    ],
)
def test_what_is_no_module_is_said(module, params, text):
    if not text:
        assert isinstance(wrapped(module, params=params).module, nn.Identity)
        return
    with pytest.raises(ParameterError, match=text):
        wrapped(module, params=params)


def test_an_unpacker_hands_over_the_numbers_of_pixels():
    recorder = Recorder()
    sample = {"image": IMAGE, "label": 3}
    made = Unpacker(recorder, output_key="total")(sample)
    assert recorder.seen.dtype == torch.float32
    assert torch.equal(recorder.seen, IMAGE.float())
    assert made == {**sample, "total": made["total"]}
    assert made["total"].item() == 663
    assert "total" not in sample


def test_normalize_standardizes_what_its_module_gets():
    mean, std = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
    recorder = Recorder()
    output = Unpacker(Normalize(recorder))({"image": IMAGE})["output"]
    expected = (IMAGE.double().numpy() - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))
    np.testing.assert_allclose(recorder.seen.numpy(), expected, rtol=1e-5)
    torch.testing.assert_close(output, recorder.seen.sum((1, 2, 3)))


def test_mean_and_std_are_buffers_that_no_state_dict_has():
    module = Normalize(nn.Identity()).half()
    assert {name for name, _ in module.named_buffers()} == {"standardize.mean", "standardize.inverse_std"}
    assert module(IMAGE).dtype == torch.float16
    assert module.state_dict() == {}


@pytest.mark.parametrize(("mean", "std"), [([1.0], [1.0, 2.0]), ([], []), ([1.0], [0.0])])
def test_mean_and_std_have_to_go_together(mean, std):
    with pytest.raises(ParameterError, match="one number for each channel"):
        Standardize(mean, std)


def test_other_channels_are_not_broadcast():
    with pytest.raises(ParameterError, match="has 1 channels, mean and std are of 3"):
        Normalize(nn.Identity())(IMAGE[:, :1])
