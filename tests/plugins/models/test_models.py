from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from leaven import TurboDataLoader, create
from leaven.errors import ParameterError
from leaven_plugins.models.pixels import unit_range
from leaven_plugins.models.tiny_cnn.model import TinyCNN
from leaven_plugins.models.tiny_fcn.model import TinyFCN
from leaven_plugins.models.tiny_mlp.model import TinyMLP
from leaven_plugins.models.tiny_saliency.model import TinySaliency


@pytest.mark.parametrize(
    ("dtype", "largest"), [(torch.uint8, 255), (torch.uint16, 65535), (torch.int32, 2147483647), (torch.float16, 1)]
)
def test_unit_range_maps_the_largest_value_to_one(dtype, largest):
    image = torch.tensor([[0, largest]], dtype=dtype)
    scaled = unit_range(image)
    assert scaled.dtype == torch.float32
    torch.testing.assert_close(scaled, torch.tensor([[0.0, 1.0]]))


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


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (37, 50), (64, 64)])
@pytest.mark.parametrize(
    ("name", "params", "maps"),
    [
        ("tiny_fcn", {"classes": 5, "channels": 2, "width": 4}, 5),
        ("tiny_saliency", {"channels": 2, "width": 4}, 1),
        ("unet", {"classes": 5, "channels": 2, "depth": 2, "width": 4}, 5),
        ("unet", {"classes": 5, "channels": 2, "depth": 4, "width": 2}, 5),
    ],
)
def test_maps_are_as_large_as_the_image(name, params, maps, size):
    model = create(f"model:{name}", **params).eval()
    assert model({"image": torch.zeros(2, 2, *size, dtype=torch.uint8)})["output"].shape == (2, maps, *size)


def test_a_u_net_sees_the_same_with_and_without_a_border_that_is_cut_off():
    """An image whose last rows and columns repeat themselves is what a smaller one is enlarged to."""
    torch.manual_seed(0)
    model = create("model:unet", classes=2, depth=2, width=4).eval()
    small = torch.rand(1, 3, 6, 7)
    large = functional.pad(small, (0, 1, 0, 2), mode="replicate")
    torch.testing.assert_close(model({"image": small})["output"], model({"image": large})["output"][..., :6, :7])


@pytest.mark.parametrize(
    ("build", "loss", "enough"),
    [
        (
            lambda: TinyFCN(4, width=12),
            lambda made: functional.cross_entropy(made["output"], made["target_image"]),
            0.7,
        ),
        (lambda: TinySaliency(), lambda made: -_nss(made["output"], made["target_image"] > 0), -1.0),
    ],
    ids=["classes", "saliency"],
)
def test_tiny_networks_learn_where_objects_are(build, loss, enough):
    """A few steps over one batch of shapes; the losses begin at about 1.4 and 0."""
    torch.manual_seed(0)
    sample = _shapes()
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    assert loss(model(sample)) > enough + 0.5
    for _ in range(40):
        optimizer.zero_grad()
        loss(model(sample)).backward()
        optimizer.step()
    assert loss(model(sample)) < enough


def _shapes():
    worker = {"use": "segmentation", "image": ((3, 32, 32), "uint8"), "target_image": ((32, 32), "int64")}
    dataset = {"use": "shapes", "size": 32, "length": 16}
    with TurboDataLoader(dataset, 16, worker, nworkers=0, feed="torch") as loader:
        return next(sample for _, (sample,) in loader)


def _nss(maps, chosen):
    """The mean of standardized maps where something is."""
    maps = maps[:, 0]
    scaled = (maps - maps.mean((1, 2), keepdim=True)) / maps.std((1, 2), keepdim=True)
    return scaled[chosen].mean()


@pytest.mark.parametrize(
    "build",
    [
        lambda: TinyCNN(0),
        lambda: TinyCNN(2, channels=0),
        lambda: TinyMLP(4, 2, width=0),
        lambda: create("model:unet", classes=2, depth=0),
        lambda: create("model:resnet18", width=0),
        lambda: create("model:vgg11", channels=-1),
    ],
)
def test_sizes_are_checked(build):
    with pytest.raises(ParameterError, match="at least 1"):
        build()
