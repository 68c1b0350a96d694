"""Normalize: channels of zero mean and unit variance, as networks are handed that were trained on ImageNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from leaven.errors import ParameterError
from leaven_plugins.rngs.presets.constants import IMAGENET_MEAN, IMAGENET_STD


class Standardize(nn.Module):
    """``(image - mean) / std`` for each channel, as floats.

    Mean and standard deviation are buffers, ``(channels, 1, 1)``: they move with the module, and are no part of its
    state dict, so that weights fit with and without them.

    Args:
        mean: of each channel.
        std: standard deviation of each channel.

    Raises:
        ParameterError: not as many numbers of one as of the other, none, or a ``std`` that is not above 0.
    """

    mean: Tensor
    inverse_std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        if not len(mean) == len(std) > 0 or min(std) <= 0:
            raise ParameterError(
                f"mean is {mean!r}, std is {std!r}; expected one number for each channel, and each std above 0"
            )
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer("inverse_std", 1 / torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return a standardized image, ``(..., channels, height, width)`` in the dtype of the buffers."""
        if image.shape[-3] != len(self.mean):
            raise ParameterError(
                f"an image {tuple(image.shape)} has {image.shape[-3]} channels, mean and std are of {len(self.mean)}"
            )
        return (image.to(self.mean.dtype) - self.mean) * self.inverse_std


class Normalize(nn.Module):
    """Standardizes images, then hands them to a module.

    ``Unpacker(Normalize(network))`` is a model out of a network that takes tensors.

    Args:
        module: takes an image.
        mean: of each channel, in the numbers of the image: those of ImageNet are from 0 to 255.
        std: standard deviation of each channel, likewise.

    Raises:
        ParameterError: as :class:`Standardize`.
    """

    def __init__(
        self, module: nn.Module, mean: Sequence[float] = IMAGENET_MEAN, std: Sequence[float] = IMAGENET_STD
    ) -> None:
        super().__init__()
        self.standardize = Standardize(mean, std)
        self.module = module

    def forward(self, image: Tensor) -> Any:
        """Return what the module makes of the standardized image, ``(rows, channels, height, width)``."""
        return self.module(self.standardize(image))


def imagenet_standardize(channels: int) -> Standardize:
    """Return what standardizes RGB images of unit range.

    Raises:
        ParameterError: there are not three ``channels``.
    """
    if channels != len(IMAGENET_MEAN):
        raise ParameterError(f"normalize: mean and std of ImageNet are of 3 channels, not of {channels}")
    return Standardize([value / 255 for value in IMAGENET_MEAN], [value / 255 for value in IMAGENET_STD])
