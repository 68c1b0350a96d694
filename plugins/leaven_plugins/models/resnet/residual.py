"""Residual blocks: convolutions whose result is added to what they were given."""

from __future__ import annotations

from torch import Tensor, nn

EXPANSION = 4
"""How many times as many features come out of a bottleneck as there are within."""


class Residual(nn.Module):
    """Convolutions ``conv1``, ``conv2``, ..., each with its norm ``bn1``, ``bn2``, ..., and a way around them.

    Args:
        convs: the first changes height and width, or the one after it; the last decides how many features come out.
        downsample: brings what comes in to the shape of what comes out; ``None`` where it has it.
    """

    def __init__(self, convs: list[nn.Conv2d], downsample: nn.Module | None) -> None:
        super().__init__()
        self.names = [(f"conv{number}", f"bn{number}") for number in range(1, len(convs) + 1)]
        for conv, (conv_name, norm_name) in zip(convs, self.names, strict=True):
            self.add_module(conv_name, conv)
            self.add_module(norm_name, nn.BatchNorm2d(conv.out_channels))
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample

    @property
    def last_scale(self) -> nn.Parameter:
        """How much of each feature is added: the scale of the last norm."""
        return self.get_parameter(f"{self.names[-1][1]}.weight")

    def forward(self, maps: Tensor) -> Tensor:
        """Return the sum of both ways, cut off below 0."""
        added = maps
        for number, (conv, norm) in enumerate(self.names):
            added = self.get_submodule(norm)(self.get_submodule(conv)(self.relu(added) if number else added))
        total: Tensor = self.relu(added + (maps if self.downsample is None else self.downsample(maps)))
        return total


def basic(inputs: int, width: int, stride: int) -> Residual:
    """Return a block of two convolutions of 3 x 3; ``width`` features come out, height and width over ``stride``."""
    return Residual([_conv3(inputs, width, stride), _conv3(width, width)], _downsample(inputs, width, stride))


def bottleneck(inputs: int, width: int, stride: int) -> Residual:
    """Return a block of a convolution of 3 x 3 between two of 1 x 1; ``EXPANSION * width`` features come out."""
    outputs = EXPANSION * width
    convs = [_conv1(inputs, width), _conv3(width, width, stride), _conv1(width, outputs)]
    return Residual(convs, _downsample(inputs, outputs, stride))


def _downsample(inputs: int, outputs: int, stride: int) -> nn.Module | None:
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(_conv1(inputs, outputs, stride), nn.BatchNorm2d(outputs))


def _conv1(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)


def _conv3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
