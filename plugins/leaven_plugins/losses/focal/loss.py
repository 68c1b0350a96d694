"""Focal: cross entropy in which what is easy counts little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional

from leaven.errors import ParameterError
from leaven_plugins.losses.activations import check_activation, check_channels
from leaven_plugins.losses.cross_entropy.labels import check_classes, class_weights, labels_for
from leaven_plugins.losses.pairs import pair, widened, within_unit
from leaven_plugins.losses.reductions import check_reduction, reduced

_LEAST = 1e-12  # the slope of x ** gamma at 0 is infinite for gamma below 1, which would make gradients NaN


@dataclass(frozen=True)
class Focal:
    """``-alpha * (1 - p) ** gamma * log(p)``, where ``p`` is the probability that the output gives to what is true.

    T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.

    Args:
        gamma: how much less the easy ones count, from 0, which is cross entropy.
        alpha: with softmax, one weight for each class. With sigmoid, the weight of 1, 0 to 1; that of 0 is
            ``1 - alpha``. They scale, and the mean is not divided by them.
        activation: ``"softmax"`` for classes that exclude each other, ``"sigmoid"`` where each channel is right or
            wrong by itself.
        output_key: key of the logits, float ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target_key: with softmax, key of the class numbers, integers ``(rows, *positions)``. With sigmoid, key of
            numbers from 0 to 1 in the shape of the logits. Axes of length one do not count.
        reduction: ``"mean"`` over all that count, ``"sum"`` or ``"none"``.
        ignore_index: value of the target that does not count.

    Raises:
        ParameterError: ``activation`` or ``reduction`` is none of these, ``gamma`` is below 0, or ``alpha`` is not what
            the activation needs.
    """

    gamma: float = 2.0
    alpha: float | Sequence[float] | None = None
    activation: str = "softmax"
    output_key: str = "output"
    target_key: str = "label"
    reduction: str = "mean"
    ignore_index: int = -100

    def __post_init__(self) -> None:
        check_activation(self.activation)
        check_reduction(self.reduction)
        if not self.gamma >= 0:
            raise ParameterError(f"focal: gamma={self.gamma}: expected a number from 0")
        if self.alpha is not None and isinstance(self.alpha, (int, float)) != (self.activation == "sigmoid"):
            wanted = "a number" if self.activation == "sigmoid" else "one number for each class"
            raise ParameterError(f"focal: alpha={self.alpha!r}: expected {wanted} with activation={self.activation!r}")

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each label (or element) with ``reduction="none"``.

        Raises:
            LeavenError: the target does not fit the output, or is not classes; softmax of a single channel; on the CPU,
                with sigmoid, targets that are not from 0 to 1 (elsewhere they make it NaN).
        """
        values, counted = self._of_channels(sample) if self.activation == "sigmoid" else self._of_classes(sample)
        return reduced(values.where(counted, 0), self.reduction, counted)

    def _of_classes(self, sample: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        output = widened(sample[self.output_key], self.output_key)
        check_channels(output, self.output_key)
        labels = labels_for(output, sample[self.target_key], self.target_key)
        check_classes(labels, output.shape[1], self.ignore_index, self.target_key)
        costs = functional.cross_entropy(output, labels, reduction="none", ignore_index=self.ignore_index)
        return self._scaled(costs, output, labels) * self._focus(-costs.neg().expm1()), labels != self.ignore_index

    def _scaled(self, costs: Tensor, output: Tensor, labels: Tensor) -> Tensor:
        if self.alpha is None or isinstance(self.alpha, (int, float)):  # a number was refused
            return costs
        alpha = class_weights(self.alpha, output)
        return costs * alpha[labels.where(labels != self.ignore_index, 0)]

    def _of_channels(self, sample: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        output, target = pair(sample, self.output_key, self.target_key)
        counted = target != self.ignore_index
        target = within_unit(target.where(counted, 0), self.target_key)
        costs = functional.binary_cross_entropy_with_logits(output, target, reduction="none")
        p = output.sigmoid()
        if isinstance(self.alpha, (int, float)):
            costs = costs * (self.alpha * target + (1 - self.alpha) * (1 - target))
        return costs * self._focus(p * (1 - target) + (1 - p) * target), counted

    def _focus(self, missed: Tensor) -> Tensor:
        return missed.clamp(min=_LEAST) ** self.gamma
