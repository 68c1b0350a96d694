"""Hourglass: from an image down to a quarter of its size and back, for maps as large as the image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from leaven_plugins.models.blocks import conv_norm_relu

_REACHES = (2, 4, 8)  # dilations at a quarter of the size: the last features have seen 127 pixels across


class Hourglass(nn.Module):
    """A small fully convolutional network (after Long, Shelhamer, Darrell, CVPR 2015) for images of any size.

    What objects are is found out at a quarter of the size, by dilated convolutions (Yu, Koltun, ICLR 2016). On the way
    back each step sees what the same size looked like on the way down; the last one sees the image itself, for outlines
    that are exact to a pixel, and has few features, since it would take most of the time otherwise.

    Args:
        channels: number of image channels.
        outputs: number of maps.
        width: number of features at half of the size; a quarter has twice as many, the full size a third.
    """

    def __init__(self, channels: int, outputs: int, width: int) -> None:
        super().__init__()
        deep, thin = 2 * width, -(-width // 3)
        self.down = nn.ModuleList(
            [
                nn.Sequential(*conv_norm_relu(channels, width, stride=2)),
                nn.Sequential(*conv_norm_relu(width, deep, stride=2), *conv_norm_relu(deep, deep)),
            ]
        )
        self.around = nn.ModuleList(nn.Sequential(*conv_norm_relu(deep, deep, dilation=reach)) for reach in _REACHES)
        self.up = nn.ModuleList(
            [
                nn.Sequential(*conv_norm_relu(deep + width, thin)),
                nn.Sequential(*conv_norm_relu(thin + channels, thin), nn.Conv2d(thin, outputs, 1)),
            ]
        )

    def forward(self, image: Tensor) -> Tensor:
        """Return maps ``(rows, outputs, height, width)`` of images ``(rows, channels, height, width)``."""
        seen = [image]
        for step in self.down:
            seen.append(step(seen[-1]))
        maps: Tensor = seen.pop()
        for look in self.around:
            maps = maps + look(maps)
        for step in self.up:
            before = seen.pop()
            maps = step(torch.cat([_enlarged(maps, before), before], dim=1))
        return maps


def _enlarged(maps: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(maps, like.shape[-2:], mode="bilinear", align_corners=False)
