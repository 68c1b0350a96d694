"""TinyFCN: a class for each pixel, in a few seconds."""

from __future__ import annotations

from typing import Any

from torch import nn

from leaven_plugins.models.blocks import check_sizes
from leaven_plugins.models.hourglass import Hourglass
from leaven_plugins.models.pixels import unit_range, weights_dtype


class TinyFCN(nn.Module):
    """A small fully convolutional network for segmentation, for images of any size.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of about unit
    range, and adds ``sample[output_key]``, logits ``(rows, classes, height, width)`` in the dtype of the weights.

    Args:
        classes: number of classes, with that of the ground.
        channels: number of image channels.
        width: number of features at half of the image's size; a quarter has twice as many.
        input_key: key of the image.
        output_key: key of the logits.

    Raises:
        ParameterError: a number below 1.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 3,
        width: int = 24,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        check_sizes("tiny_fcn", classes=classes, channels=channels, width=width)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        self.body = Hourglass(channels, classes, width)

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with logits added."""
        image = unit_range(sample[self.input_key], weights_dtype(self))
        return {**sample, self.output_key: self.body(image)}
