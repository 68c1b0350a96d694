"""Timm: a network of the package timm, as a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import timm
from torch import nn

from leaven.errors import ParameterError, suggestion
from leaven_plugins.models.blocks import check_sizes
from leaven_plugins.models.normalize import Standardize
from leaven_plugins.models.pixels import unit_range, weights_dtype


class Timm(nn.Module):
    """A network of timm, https://github.com/huggingface/pytorch-image-models.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, integers of any depth or floats of unit range,
    standardizes it by the mean and standard deviation that the network was made for, and adds ``sample[output_key]``:
    logits ``(rows, classes)``, or whatever ``params`` make of it.

    Args:
        name: of the network, as ``timm.list_models()`` has it, or of weights, such as ``"resnet18.a1_in1k"``.
        pretrained: load weights; timm downloads them where they are not there yet.
        classes: number of classes; ``None`` for as many as the network was made for.
        channels: number of image channels.
        params: further keyword arguments of ``timm.create_model``.
        input_key: key of the image.
        output_key: key of the output.

    Raises:
        ParameterError: timm has no such network or weights, or it does not take ``params``; a number below 1.
    """

    def __init__(
        self,
        name: str,
        pretrained: bool = False,
        classes: int | None = None,
        channels: int = 3,
        params: Mapping[str, Any] | None = None,
        input_key: str = "image",
        output_key: str = "output",
    ) -> None:
        check_sizes("timm", classes=1 if classes is None else classes, channels=channels)
        super().__init__()
        self.input_key = input_key
        self.output_key = output_key
        known = {} if classes is None else {"num_classes": classes}
        self.module = _created(name, params or {}, pretrained=pretrained, in_chans=channels, **known)
        made_for = self.module.pretrained_cfg
        self.standardize = Standardize(_of_each(made_for["mean"], channels), _of_each(made_for["std"], channels))

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return the sample with the network's output added."""
        image = unit_range(sample[self.input_key], weights_dtype(self.module))
        return {**sample, self.output_key: self.module(self.standardize(image))}


def _created(name: str, params: Mapping[str, Any], **arguments: Any) -> Any:
    if ":" not in name and not timm.is_model(name):  # with a colon, it is of some hub
        raise ParameterError(f"timm: no network {name!r}{suggestion(name, timm.list_models())}")
    try:
        return timm.create_model(name, **arguments, **params)
    except (TypeError, RuntimeError) as error:  # what it does not take, and weights that it does not have
        raise ParameterError(f"timm: {name!r}: {error}") from error


def _of_each(values: Sequence[float], channels: int) -> list[float]:
    """Return one value for each channel; timm, too, sums up weights for one channel, and repeats them for others."""
    return [sum(values) / len(values)] if channels == 1 else list(islice(cycle(values), channels))
