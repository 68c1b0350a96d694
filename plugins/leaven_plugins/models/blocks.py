"""Blocks: what several networks are made of, and how their sizes are checked."""

from __future__ import annotations

from torch import nn

from leaven.errors import ParameterError


def conv_norm_relu(inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    """Return a convolution of 3 x 3 that keeps the size (divided by ``stride``, rounded up), batch norm and ReLU."""
    conv = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=dilation, dilation=dilation, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def check_sizes(model: str, **sizes: int) -> None:
    """Check numbers of classes, channels, features.

    Raises:
        ParameterError: one of them is below 1.
    """
    if min(sizes.values()) < 1:
        shown = ", ".join(f"{name}={size}" for name, size in sizes.items())
        raise ParameterError(f"{model}: {shown}: each at least 1")
