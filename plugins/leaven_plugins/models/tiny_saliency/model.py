"""TinySaliency: a map of where people look."""

from __future__ import annotations

from typing import Any

from torch import nn

from leaven_plugins.models.blocks import check_sizes
from leaven_plugins.models.hourglass import Hourglass
from leaven_plugins.models.pixels import unit_range, weights_dtype


class TinySaliency(nn.Module):
    """A small fully convolutional network that predicts where people look, for images of any size.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of about unit
    range, and adds ``sample[output_key]``, ``(rows, 1, height, width)`` in the dtype of the weights: the higher, the
    more often people look there. Values are of any sign and scale, as ``loss:nss`` takes them, which standardizes each
    map; a softmax over all pixels of a map makes it a density.

    Args:
        channels: number of image channels.
        width: number of features at half of the image's size; a quarter has twice as many.
        input_key: key of the image.
        output_key: key of the map.

    Raises:
        ParameterError: a number below 1.
    """

    def __init__(
        self, channels: int = 3, width: int = 12, input_key: str = "image", output_key: str = "output"
    ) -> None:
        check_sizes("tiny_saliency", channels=channels, width=width)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        self.body = Hourglass(channels, 1, width)

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with a map added."""
        image = unit_range(sample[self.input_key], weights_dtype(self))
        return {**sample, self.output_key: self.body(image)}
