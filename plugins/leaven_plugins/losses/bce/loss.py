"""BCE: binary cross entropy, of every element by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from leaven_plugins.losses.constants import constant
from leaven_plugins.losses.cross_entropy.labels import class_weights
from leaven_plugins.losses.pairs import pair, within_unit
from leaven_plugins.losses.reductions import check_reduction

_EDGE = 1e-7  # the float32 next to 1 is 6e-8 below it


@dataclass(frozen=True)
class BCE:
    """``-(target * log(p) + (1 - target) * log(1 - p))`` with ``p = sigmoid(output)``.

    Args:
        pos_weight: weight of the first term, one number, or one for each channel.
        from_logits: whether outputs are logits; else they are the probabilities ``p``, which count as 1e-7 to 1 - 1e-7.
        output_key: key of the output, float ``(rows, channels, ...)``.
        target_key: key of the target, numbers of any dtype from 0 to 1 in the same shape; axes of length one do not
            count.
        reduction: ``"mean"`` over all elements, ``"sum"`` or ``"none"``.

    Raises:
        ParameterError: ``reduction`` is none of these.
    """

    pos_weight: float | Sequence[float] | None = None
    from_logits: bool = True
    output_key: str = "output"
    target_key: str = "label"
    reduction: str = "mean"

    def __post_init__(self) -> None:
        check_reduction(self.reduction)

    def __call__(self, sample: Mapping[str, Any]) -> Tensor:
        """Return the loss; a scalar, or one value for each element of the output with ``reduction="none"``.

        Raises:
            LeavenError: the target is of another shape, or the output not float; there are not as many weights as
                channels; on the CPU, targets or probabilities that are not from 0 to 1 (elsewhere they make it NaN).
        """
        output, target = pair(sample, self.output_key, self.target_key)
        if not self.from_logits:
            output = torch.logit(within_unit(output, self.output_key), eps=_EDGE)
        return functional.binary_cross_entropy_with_logits(
            output, within_unit(target, self.target_key), pos_weight=self._weights(output), reduction=self.reduction
        )

    def _weights(self, output: Tensor) -> Tensor | None:
        """Return the weights in a shape that spreads over the output's."""
        if self.pos_weight is None:
            return None
        if isinstance(self.pos_weight, (int, float)):
            return constant([self.pos_weight], output)
        return class_weights(self.pos_weight, output).reshape(-1, *[1] * (output.ndim - 2))
