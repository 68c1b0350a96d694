"""ResNet18, ResNet34 and ResNet50."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import nn

from leaven.errors import ParameterError, suggestion
from leaven_plugins.models.blocks import check_sizes
from leaven_plugins.models.normalize import imagenet_standardize
from leaven_plugins.models.pixels import unit_range, weights_dtype
from leaven_plugins.models.resnet.residual import EXPANSION, Residual, basic, bottleneck

_STEMS = ("imagenet", "small")


class ResNet(nn.Module):
    """A residual network of 18, 34 or 50 layers for images of any size.

    Kaiming He, Xiangyu Zhang, Shaoqing Ren, Jian Sun: "Deep Residual Learning for Image Recognition", CVPR 2016. Where
    a stage of bottlenecks makes images smaller, the 3 x 3 convolution does it. At first each block hands on what it was
    given: the last scale in it starts at 0 (Goyal et al.: "Accurate, Large Minibatch SGD", 2017). With 1000 classes
    there are 11.7, 21.8 and 25.6 million weights.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of about unit
    range, and adds ``sample[output_key]``, logits ``(rows, classes)`` in the dtype of the weights. Weights have the
    names that they have in torchvision.

    Args:
        classes: number of classes.
        channels: number of image channels.
        width: number of features of the first stage; each of the other three has twice as many as the one before.
        stem: what comes first. ``"imagenet"`` divides height and width by 4: a 7 x 7 convolution and a pooling, both of
            stride 2; ``"small"``, for images of some 32 x 32 pixels, is one 3 x 3 convolution that keeps the size.
        normalize: standardize RGB images by mean and standard deviation of ImageNet, as weights from elsewhere expect.
        input_key: key of the image.
        output_key: key of the logits.

    Raises:
        ParameterError: a number below 1, an unknown ``stem``, or ``normalize`` for other than three channels.
    """

    bottlenecks: ClassVar[bool]
    """Whether blocks are bottlenecks."""
    depths: ClassVar[tuple[int, int, int, int]]
    """How many blocks each stage has."""

    def __init__(
        self,
        classes: int = 1000,
        channels: int = 3,
        width: int = 64,
        stem: str = "imagenet",
        normalize: bool = False,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        check_sizes("resnet", classes=classes, channels=channels, width=width)
        if stem not in _STEMS:
            raise ParameterError(f"resnet: no stem {stem!r}{suggestion(stem, _STEMS)}; stems: {', '.join(_STEMS)}")
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        self.standardize = imagenet_standardize(channels) if normalize else nn.Identity()
        is_small = stem == "small"
        self.conv1 = nn.Conv2d(channels, width, 3, 1, 1, bias=False) if is_small else _wide_conv(channels, width)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.Identity() if is_small else nn.MaxPool2d(3, stride=2, padding=1)
        outputs = EXPANSION if self.bottlenecks else 1  # for each feature within a block
        self.layer1 = self._stage(0, width, width)
        self.layer2 = self._stage(1, outputs * width, 2 * width)
        self.layer3 = self._stage(2, outputs * 2 * width, 4 * width)
        self.layer4 = self._stage(3, outputs * 4 * width, 8 * width)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(outputs * 8 * width, classes)
        self._initialize()

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with logits added."""
        image = self.standardize(unit_range(sample[self.input_key], weights_dtype(self)))
        maps = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            maps = stage(maps)
        return {**sample, self.output_key: self.fc(torch.flatten(self.avgpool(maps), 1))}

    def _stage(self, number: int, inputs: int, width: int) -> nn.Sequential:
        block, outputs = (bottleneck, EXPANSION * width) if self.bottlenecks else (basic, width)
        first = block(inputs, width, stride=2 if number else 1)
        return nn.Sequential(first, *(block(outputs, width, stride=1) for _ in range(self.depths[number] - 1)))

    def _initialize(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, Residual):
                nn.init.zeros_(module.last_scale)


class ResNet18(ResNet):  # noqa: D101 - its base says what it is, and what its parameters are
    bottlenecks = False
    depths = (2, 2, 2, 2)


class ResNet34(ResNet):  # noqa: D101
    bottlenecks = False
    depths = (3, 4, 6, 3)


class ResNet50(ResNet):  # noqa: D101
    bottlenecks = True
    depths = (3, 4, 6, 3)


def _wide_conv(channels: int, width: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
