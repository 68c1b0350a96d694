"""OHEM: another loss, over its hardest elements only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, prod
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven.protocols import Loss


@dataclass(frozen=True)
class OHEM:
    """The mean of a loss over its hardest elements (online hard example mining).

    An element is easy where its loss is below ``thr``, else hard. The largest
    ``max(he_ratio * elements, min(np_ratio * easy, hard))`` of them count, rounded up. After A. Shrivastava et al.,
    Training Region-based Object Detectors with Online Hard Example Mining, CVPR 2016.

    What the loss inside ignores, by its ``target_key`` and ``ignore_index``, is neither easy nor hard.

    Args:
        loss: returns one value for each element, ``(rows, ...)``: one with ``reduction="none"``.
        he_ratio: which part of the elements counts at least, 0 to 1.
        np_ratio: how many hard ones count for each easy one, at most; finite.
        thr: from which loss on an element is hard.
        channel_wise: whether each channel of each row is a group of its own, and the result the mean over those
            groups of which anything counts. The loss inside has to return ``(rows, channels, *positions)``, the shape
            of its output.
        keep_easy: whether the easy ones count as well.

    Raises:
        ParameterError: ``he_ratio`` is not from 0 to 1, ``np_ratio`` not finite, or it or ``thr`` is negative.
    """

    loss: Loss
    he_ratio: float = 0.005
    np_ratio: float = 3.0
    thr: float = 0.01
    channel_wise: bool = False
    keep_easy: bool = False

    def __post_init__(self) -> None:
        if not (0 <= self.he_ratio <= 1 and 0 <= self.np_ratio < inf and self.thr >= 0):
            raise ParameterError(
                f"ohem: he_ratio={self.he_ratio}, np_ratio={self.np_ratio}, thr={self.thr}: "
                "expected a number from 0 to 1, and two that are not negative, np_ratio finite"
            )

    def __call__(self, sample: dict[str, Any]) -> Tensor:
        """Return the loss, a scalar. Numbers of elements stay on the device.

        Raises:
            LeavenError: the loss inside returns a scalar, or, for ``channel_wise``, another shape than its output has.
        """
        values: Tensor = self.loss(sample)
        counted = self._counted(sample, values)
        groups = (-1, prod(values.shape[2:])) if self._has_channels(sample, values) else (1, -1)
        return self._mean_of_hard(values.reshape(groups), counted.reshape(groups))

    def _has_channels(self, sample: Mapping[str, Any], values: Tensor) -> bool:
        if not values.ndim:
            raise LeavenError("ohem: the loss inside returned a scalar; make it with reduction='none'")
        if not self.channel_wise:
            return False
        output = sample[getattr(self.loss, "output_key", "output")]
        if values.shape != output.shape or values.ndim < 2:
            raise LeavenError(
                f"ohem: channel_wise, but the loss inside returned shape {tuple(values.shape)} of an output of shape "
                f"{tuple(output.shape)}; use channel_wise=False"
            )
        return True

    def _counted(self, sample: Mapping[str, Any], values: Tensor) -> Tensor:
        """Return which elements the loss inside does not ignore."""
        index: int | None = getattr(self.loss, "ignore_index", None)
        key: str | None = getattr(self.loss, "target_key", None)
        target = None if index is None or key is None else torch.as_tensor(sample[key])
        if target is None or index is None or target.numel() != values.numel():
            return torch.ones_like(values, dtype=torch.bool)
        return target.to(values.device).reshape(values.shape) != index

    def _mean_of_hard(self, values: Tensor, counted: Tensor) -> Tensor:
        """Return the mean over groups of the mean over what counts of each, from ``(groups, elements)``."""
        easy = counted & (values < self.thr)
        elements, easies = counted.sum(1), easy.sum(1)
        wanted = torch.maximum(self.he_ratio * elements, torch.minimum(self.np_ratio * easies, elements - easies))
        kept = counted & _largest(values.detach().where(counted, -torch.inf), wanted.ceil())
        kept = kept | easy if self.keep_easy else kept
        count = kept.sum(1)
        means = values.where(kept, 0).sum(1) / count.clamp(min=1)
        return means.sum() / (count > 0).sum().clamp(min=1)


def _largest(values: Tensor, count: Tensor) -> Tensor:
    """Return a mask ``(groups, elements)`` of the ``count`` largest values of each group."""
    places = torch.arange(values.shape[1], device=values.device)
    chosen = (places < count.unsqueeze(1)).expand_as(values)
    return torch.zeros_like(chosen).scatter_(1, values.argsort(dim=1, descending=True), chosen)
