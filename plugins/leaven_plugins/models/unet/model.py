"""UNet: down to small maps with much context, and back with the details seen on the way."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from leaven_plugins.models.blocks import check_sizes, conv_norm_relu
from leaven_plugins.models.pixels import unit_range, weights_dtype


class UNet(nn.Module):
    """A U-Net for images of any size.

    Olaf Ronneberger, Philipp Fischer, Thomas Brox: "U-Net: Convolutional Networks for Biomedical Image Segmentation",
    MICCAI 2015. Other than there, convolutions keep the size and are followed by batch norm. Images are enlarged to the
    right and at the bottom by their border pixels, to a multiple of ``2**depth``, and the map is cut to their size.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of about unit
    range, and adds ``sample[output_key]``, logits ``(rows, classes, height, width)`` in the dtype of the weights.

    Args:
        classes: number of classes, with that of the ground; or of maps, of whatever they are to show.
        channels: number of image channels.
        depth: how often height and width are halved.
        width: number of features at full size; they double each time that the size is halved.
        input_key: key of the image.
        output_key: key of the logits.

    Raises:
        ParameterError: a number below 1.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        depth: int = 4,
        width: int = 64,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        check_sizes("unet", classes=classes, channels=channels, depth=depth, width=width)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        widths = [width * 2**level for level in range(depth + 1)]
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(_twice(i, o) for i, o in zip([channels, *widths], widths, strict=False))
        self.enlarge = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in widths[-2::-1])
        self.up = nn.ModuleList(_twice(2 * w, w) for w in widths[-2::-1])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with logits added."""
        image = unit_range(sample[self.input_key], weights_dtype(self))
        height, width = image.shape[-2:]
        maps = self._maps(_padded(image, 2 ** len(self.up)))
        return {**sample, self.output_key: maps[..., :height, :width]}

    def _maps(self, image: Tensor) -> Tensor:
        maps, *details = self._seen(image)
        for enlarge, up, detail in zip(self.enlarge, self.up, details, strict=True):
            maps = up(torch.cat([detail, enlarge(maps)], dim=1))
        logits: Tensor = self.head(maps)
        return logits

    def _seen(self, image: Tensor) -> list[Tensor]:
        """Return what each size looks like, the smallest first."""
        first, *rest = self.down
        seen = [first(image)]
        for step in rest:
            seen.append(step(self.pool(seen[-1])))
        return seen[::-1]


def _twice(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*conv_norm_relu(inputs, outputs), *conv_norm_relu(outputs, outputs))


def _padded(image: Tensor, multiple: int) -> Tensor:
    height, width = image.shape[-2:]
    return functional.pad(image, (0, -width % multiple, 0, -height % multiple), mode="replicate")
