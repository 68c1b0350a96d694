"""TinyCNN: three convolutions, then the mean over what is left of the image."""

from __future__ import annotations

from typing import Any

from torch import nn

from leaven_plugins.models.blocks import check_sizes, conv_norm_relu
from leaven_plugins.models.pixels import unit_range, weights_dtype


class TinyCNN(nn.Module):
    """A convolutional network for small images of any size from 4 x 4 pixels.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of about unit
    range, and adds ``sample[output_key]``, logits ``(rows, classes)`` in the dtype of the weights.

    Args:
        classes: number of classes.
        channels: number of image channels.
        width: number of features of the first convolution; the second has twice, the third four times as many.
        input_key: key of the image.
        output_key: key of the logits.

    Raises:
        ParameterError: a number below 1.
    """

    def __init__(
        self,
        classes: int,
        channels: int = 1,
        width: int = 16,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        check_sizes("tiny_cnn", classes=classes, channels=channels, width=width)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        self.layers = nn.Sequential(
            *conv_norm_relu(channels, width),
            nn.MaxPool2d(2),
            *conv_norm_relu(width, 2 * width),
            nn.MaxPool2d(2),
            *conv_norm_relu(2 * width, 4 * width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4 * width, classes),
        )

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with logits added."""
        image = unit_range(sample[self.input_key], weights_dtype(self))
        return {**sample, self.output_key: self.layers(image)}
