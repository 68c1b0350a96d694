"""Dice: one minus the overlap of predicted and true regions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.losses.activations import check_activation, check_channels
from leaven_plugins.losses.cross_entropy.labels import are_shares, check_classes, labels_for
from leaven_plugins.losses.pairs import pair, widened, within_unit
from leaven_plugins.losses.reductions import check_reduction, reduced


@dataclass(frozen=True)
class Dice:
    """``1 - (2 * sum(p * t) + smooth) / (sum(p) + sum(t) + smooth)`` for each row and class, over its positions.

    ``p`` is what the activation makes of the output, ``t`` the target. F. Milletari et al., V-Net, 3DV 2016, with sums
    for the sums of squares, as in M. Drozdzal et al., The Importance of Skip Connections in Biomedical Image
    Segmentation, DLMIA 2016.

    Args:
        activation: ``"softmax"`` for classes that exclude each other, ``"sigmoid"`` where each channel is a region of
            its own, such as a single one.
        smooth: what keeps the loss of a class defined that is neither there nor predicted, in pixels, above 0.
        include_background: whether class (or channel) 0 has a part.
        output_key: key of the logits, float ``(rows, classes, *positions)``.
        target_key: with softmax, key of the class numbers, integers ``(rows, *positions)``, or of each class' share,
            floats in the shape of the logits. With sigmoid, key of numbers from 0 to 1 in the shape of the logits. Axes
            of length one do not count.
        reduction: ``"mean"`` over rows and classes, ``"sum"`` or ``"none"``.
        ignore_index: value of the target where a position does not count.

    Raises:
        ParameterError: ``activation`` or ``reduction`` is none of these, or ``smooth`` not above 0.
    """

    activation: str = "softmax"
    smooth: float = 1.0
    include_background: bool = True
    output_key: str = "output"
    target_key: str = "target_image"
    reduction: str = "mean"
    ignore_index: int = -100

    def __post_init__(self) -> None:
        check_activation(self.activation)
        check_reduction(self.reduction)
        if not self.smooth > 0:
            raise ParameterError(f"dice: smooth={self.smooth}: expected a number above 0")

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or ``(rows, classes)`` with ``reduction="none"``.

        Raises:
            LeavenError: the output has no positions; the target does not fit it, or is not classes; softmax of a single
                channel; no class is left; on the CPU, with sigmoid, targets that are not from 0 to 1 (elsewhere they
                make it NaN).
        """
        if sample[self.output_key].ndim < 3:
            shape = tuple(sample[self.output_key].shape)
            raise LeavenError(f"{self.output_key}: shape {shape}: dice needs (rows, classes, *positions)")
        predicted, true, counted = (
            self._of_channels(sample) if self.activation == "sigmoid" else self._of_classes(sample)
        )
        first = 0 if self.include_background else 1
        predicted, true = ((part * counted).flatten(2)[:, first:] for part in (predicted, true))
        if not predicted.shape[1]:
            raise LeavenError("dice: include_background=False leaves no class of an output with one channel")
        overlap, sizes = (predicted * true).sum(2), predicted.sum(2) + true.sum(2)
        return reduced(1 - (2 * overlap + self.smooth) / (sizes + self.smooth), self.reduction)

    def _of_channels(self, sample: Mapping[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        output, target = pair(sample, self.output_key, self.target_key)
        counted = target != self.ignore_index
        return output.sigmoid(), within_unit(target.where(counted, 0), self.target_key), counted

    def _of_classes(self, sample: Mapping[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        output, target = widened(sample[self.output_key], self.output_key), sample[self.target_key]
        check_channels(output, self.output_key)
        predicted = output.softmax(1)
        if are_shares(output, target):
            return predicted, torch.as_tensor(target).to(output), output.new_ones(())
        labels = labels_for(output, target, self.target_key).unsqueeze(1)
        check_classes(labels, output.shape[1], self.ignore_index, self.target_key)
        counted = labels != self.ignore_index
        return predicted, torch.zeros_like(output).scatter_(1, labels.where(counted, 0), 1), counted
