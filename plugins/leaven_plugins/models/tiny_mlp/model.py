"""TinyMLP: one hidden layer over all pixels."""

from __future__ import annotations

from typing import Any

from torch import nn

from leaven_plugins.models.blocks import check_sizes
from leaven_plugins.models.pixels import unit_range, weights_dtype


class TinyMLP(nn.Module):
    """A fully connected network for small images of one size.

    Reads ``sample[input_key]``, ``(rows, ...)``, integers of any depth or floats of about unit range, and adds
    ``sample[output_key]``, logits ``(rows, classes)`` in the dtype of the weights.

    Args:
        features: number of values in one image: channels x height x width.
        classes: number of classes.
        width: number of hidden units.
        input_key: key of the image.
        output_key: key of the logits.

    Raises:
        ParameterError: a number below 1.
    """

    def __init__(
        self, features: int, classes: int, width: int = 64, input_key: str = "image", output_key: str = "output"
    ) -> None:
        check_sizes("tiny_mlp", features=features, classes=classes, width=width)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(features, width), nn.ReLU(), nn.Linear(width, classes))

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with logits added."""
        image = unit_range(sample[self.input_key], weights_dtype(self))
        return {**sample, self.output_key: self.layers(image)}
