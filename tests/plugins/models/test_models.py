from __future__ import annotations

import pytest
import torch

from leaven.errors import ParameterError
from leaven_plugins.models.tiny_cnn.model import TinyCNN
from leaven_plugins.models.tiny_cnn.pixels import unit_range
from leaven_plugins.models.tiny_mlp.model import TinyMLP


@pytest.mark.parametrize(
    ("dtype", "largest"), [(torch.uint8, 255), (torch.uint16, 65535), (torch.int32, 2147483647), (torch.float16, 1)]
)
def test_unit_range_maps_the_largest_value_to_one(dtype, largest):
    image = torch.tensor([[0, largest]], dtype=dtype)
    scaled = unit_range(image)
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, torch.tensor([[0.0, 1.0]]))


def test_a_model_adds_logits_and_leaves_the_sample_as_it_was():
    sample = {"image": torch.zeros(3, 2, 16, 16, dtype=torch.uint8), "key": ["a", "b", "c"]}
    output = TinyCNN(classes=5, channels=2, width=4)(sample)
    assert set(sample) == {"image", "key"}
    assert output["key"] == ["a", "b", "c"]
    assert output["output"].shape == (3, 5)
    assert output["output"].dtype == torch.float32


@pytest.mark.parametrize("size", [(4, 4), (9, 13), (24, 24)])
def test_tiny_cnn_takes_images_of_any_size(size):
    assert TinyCNN(3, width=4).eval()({"image": torch.zeros(1, 1, *size)})["output"].shape == (1, 3)


def test_tiny_cnn_is_a_small_network():
    assert sum(p.numel() for p in TinyCNN(10).parameters()) < 30_000


@pytest.mark.parametrize("model", [lambda **k: TinyCNN(2, width=4, **k), lambda **k: TinyMLP(16, 2, **k)])
def test_keys_can_be_chosen(model):
    output = model(input_key="x", output_key="logits")({"x": torch.zeros(2, 1, 4, 4)})
    assert output["logits"].shape == (2, 2)


def test_tiny_mlp_is_the_function_that_it_says():
    model = TinyMLP(features=12, classes=3, width=7)
    image = torch.randint(0, 256, (5, 3, 2, 2), dtype=torch.uint8)
    w0, b0, w1, b1 = [p.detach().numpy() for p in model.parameters()]
    pixels = image.numpy().reshape(5, 12) / 255
    expected = (pixels @ w0.T + b0).clip(0) @ w1.T + b1
    torch.testing.assert_close(model({"image": image})["output"].detach().numpy(), expected.astype("float32"))


@pytest.mark.parametrize("build", [lambda: TinyCNN(0), lambda: TinyCNN(2, channels=0), lambda: TinyMLP(4, 2, width=0)])
def test_sizes_are_checked(build):
    with pytest.raises(ParameterError, match="at least 1"):
        build()
