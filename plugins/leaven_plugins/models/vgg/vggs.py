"""VGG11 and VGG16."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import nn

from leaven_plugins.models.blocks import check_sizes
from leaven_plugins.models.normalize import imagenet_standardize
from leaven_plugins.models.pixels import unit_range, weights_dtype

_WIDTHS = (1, 2, 4, 8, 8)  # of the stages, relative to the first
_GRID = 7  # height and width of what the fully connected layers see
_HIDDEN = 64  # units in them, for each feature of the first stage


class VGG(nn.Module):
    """A VGG network of 11 or 16 layers, for images of any size from 32 x 32 pixels.

    Convolutions of 3 x 3 and three fully connected layers: Karen Simonyan, Andrew Zisserman, "Very Deep Convolutional
    Networks for Large-Scale Image Recognition", ICLR 2015, configurations A and D. With 1000 classes there are
    132.9 and 138.4 million weights, most of them in the first fully connected layer. What the convolutions leave of an
    image is brought to 7 x 7 by means, which changes nothing for 224 x 224 pixels.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of about unit
    range, and adds ``sample[output_key]``, logits ``(rows, classes)`` in the dtype of the weights. Weights have the
    names that they have in torchvision.

    Args:
        classes: number of classes.
        channels: number of image channels.
        width: number of features of the first stage; everything else grows and shrinks with it.
        batch_norm: batch norm after each convolution.
        dropout: which part of the units of the fully connected layers is left out in training.
        normalize: standardize RGB images by mean and standard deviation of ImageNet, as weights from elsewhere expect.
        input_key: key of the image.
        output_key: key of the logits.

    Raises:
        ParameterError: a number below 1, or ``normalize`` for other than three channels.
    """

    depths: ClassVar[tuple[int, ...]]
    """How many convolutions each stage has."""

    def __init__(
        self,
        classes: int = 1000,
        channels: int = 3,
        width: int = 64,
        batch_norm: bool = False,
        dropout: float = 0.5,
        normalize: bool = False,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        check_sizes("vgg", classes=classes, channels=channels, width=width)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        self.standardize = imagenet_standardize(channels) if normalize else nn.Identity()
        self.features = nn.Sequential(*_convolutions(self.depths, channels, width, batch_norm))
        self.avgpool = nn.AdaptiveAvgPool2d(_GRID)
        self.classifier = nn.Sequential(*_connected(_WIDTHS[-1] * width * _GRID**2, _HIDDEN * width, classes, dropout))
        _initialize(self)

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with logits added."""
        image = self.standardize(unit_range(sample[self.input_key], weights_dtype(self)))
        grid = self.avgpool(self.features(image))
        return {**sample, self.output_key: self.classifier(torch.flatten(grid, 1))}


class VGG11(VGG):  # noqa: D101 - its base says what it is, and what its parameters are
    depths = (1, 1, 2, 2, 2)


class VGG16(VGG):  # noqa: D101
    depths = (2, 2, 3, 3, 3)


def _convolutions(depths: tuple[int, ...], channels: int, width: int, batch_norm: bool) -> Iterator[nn.Module]:
    inputs = channels
    for depth, factor in zip(depths, _WIDTHS, strict=True):
        for _ in range(depth):
            yield nn.Conv2d(inputs, factor * width, 3, padding=1)
            if batch_norm:
                yield nn.BatchNorm2d(factor * width)
            yield nn.ReLU(inplace=True)
            inputs = factor * width
        yield nn.MaxPool2d(2)


def _connected(inputs: int, hidden: int, classes: int, dropout: float) -> Iterator[nn.Module]:
    for features in (inputs, hidden):
        yield nn.Linear(features, hidden)
        yield nn.ReLU(inplace=True)
        yield nn.Dropout(dropout)
    yield nn.Linear(hidden, classes)


def _initialize(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=0.01)
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            assert module.bias is not None
            nn.init.zeros_(module.bias)
