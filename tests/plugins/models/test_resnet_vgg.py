from __future__ import annotations

import pytest
import torch

from leaven import create
from leaven.errors import ParameterError

PUBLISHED = {
    "resnet18": (11_689_512, 122),
    "resnet34": (21_797_672, 218),
    "resnet50": (25_557_032, 320),
    "vgg11": (132_863_336, 22),
    "vgg16": (138_357_544, 32),
}
"""Numbers of weights with 1000 classes, and of entries in torchvision's state dicts."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_networks_have_the_published_number_of_weights(name):
    with torch.device("meta"):
        model = create(f"model:{name}")
    assert (sum(p.numel() for p in model.parameters()), len(model.state_dict())) == PUBLISHED[name]


@pytest.mark.parametrize(
    ("name", "params", "shapes"),
    [
        (
            "resnet18",
            {},
            {
                "conv1.weight": (64, 3, 7, 7),
                "bn1.running_mean": (64,),
                "layer1.1.bn2.bias": (64,),
                "layer2.0.downsample.0.weight": (128, 64, 1, 1),
                "layer2.0.downsample.1.num_batches_tracked": (),
                "layer4.1.conv2.weight": (512, 512, 3, 3),
                "fc.bias": (1000,),
            },
        ),
        (
            "resnet50",
            {"normalize": True},
            {
                "layer1.0.downsample.0.weight": (256, 64, 1, 1),
                "layer3.0.conv2.weight": (256, 256, 3, 3),
                "layer3.5.conv3.weight": (1024, 256, 1, 1),
                "layer3.5.bn3.running_var": (1024,),
                "fc.weight": (1000, 2048),
            },
        ),
        ("vgg11", {}, {"features.18.weight": (512, 512, 3, 3), "classifier.6.weight": (1000, 4096)}),
        ("vgg16", {"batch_norm": True}, {"features.41.running_var": (512,), "classifier.0.weight": (4096, 25088)}),
    ],
)
def test_weights_have_the_names_of_torchvision(name, params, shapes):
    with torch.device("meta"):
        state = create(f"model:{name}", **params).state_dict()
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_a_small_stem_keeps_the_size():
    seen = []
    model = create("model:resnet18", classes=10, width=4, stem="small")
    model.layer1.register_forward_pre_hook(lambda module, inputs: seen.append(tuple(inputs[0].shape)))
    model({"image": torch.zeros(2, 3, 32, 32)})
    assert seen == [(2, 4, 32, 32)]


def test_a_new_block_hands_on_what_it_was_given():
    """The last scale of each is 0."""
    model = create("model:resnet50", classes=2, width=4)
    maps = torch.rand(2, 16, 5, 5)
    torch.testing.assert_close(model.layer1[1](maps), maps)
    torch.nn.init.ones_(model.layer1[1].bn3.weight)
    assert not torch.allclose(model.layer1[1](maps), maps)


def test_normalize_is_that_of_imagenet():
    model = create("model:resnet18", classes=2, width=4, normalize=True).eval()
    plain = create("model:resnet18", classes=2, width=4).eval()
    plain.load_state_dict(model.state_dict())
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    image = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    by_hand = ((image.permute(0, 2, 3, 1) / 255 - mean) / std).permute(0, 3, 1, 2)
    torch.testing.assert_close(model({"image": image})["output"], plain({"image": by_hand})["output"])


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"stem": "smal"}, "no stem 'smal', did you mean 'small'\\?; stems: imagenet, small"),
        ({"channels": 1, "normalize": True}, "of 3 channels, not of 1"),
    ],
)
def test_what_does_not_go_together_is_said(params, text):
    with pytest.raises(ParameterError, match=text):
        create("model:resnet18", **params)
