from __future__ import annotations

import pytest
import torch

from leaven import create
from leaven.errors import ParameterError

try:
    import timm  # noqa: F401 - whether it goes with this torch is seen by importing it
except (ImportError, RuntimeError) as error:
    pytest.skip(f"timm cannot be imported: {error}", allow_module_level=True)


def model(**params):
    return create("model:timm", **{"name": "resnet10t", "classes": 5, **params})


def test_a_network_of_timm_is_a_model():
    sample = {"image": torch.randint(0, 256, (2, 3, 32, 40), dtype=torch.uint8)}
    made = model().eval()
    output = made(sample)["output"]
    assert output.shape == (2, 5)
    config = made.module.pretrained_cfg
    mean, std = (torch.tensor(config[name]).view(3, 1, 1) for name in ("mean", "std"))
    torch.testing.assert_close(output, made.module((sample["image"] / 255 - mean) / std))


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_other_channels_are_standardized_as_their_weights_are_made(channels):
    made = model(channels=channels)
    mean = made.module.pretrained_cfg["mean"]
    expected = [sum(mean) / 3] if channels == 1 else [mean[channel % 3] for channel in range(channels)]
    torch.testing.assert_close(made.standardize.mean.flatten(), torch.tensor(expected))
    assert made({"image": torch.zeros(2, channels, 32, 32)})["output"].shape == (2, 5)


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"name": "resnet17"}, "no network 'resnet17', did you mean"),
        ({"name": "resnet18.nothing"}, "nothing"),
        ({"params": {"nothing": 1}}, "nothing"),
        ({"params": {"in_chans": 1}}, "in_chans"),
        ({"channels": 0}, "at least 1"),
    ],
)
def test_what_timm_does_not_have_is_said(params, text):
    with pytest.raises(ParameterError, match=text):
        model(**params)
