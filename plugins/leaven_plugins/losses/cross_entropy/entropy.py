"""Cross entropy of a sample's logits, and class numbers or shares of classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from leaven_plugins.losses.cross_entropy.labels import are_shares, class_loss, class_weights
from leaven_plugins.losses.pairs import widened


def cross_entropy(
    sample: Mapping[str, Any],
    output_key: str,
    target_key: str,
    weight: Sequence[float] | None,
    reduction: str,
    ignore_index: int,
    smoothing: float = 0.0,
) -> Tensor:
    """Return the cross entropy of a sample; ``smoothing`` is the share of each label that all classes get a part of.

    Raises:
        LeavenError: labels that do not fit the output, or, on the CPU, that are not classes.
    """
    output, target = sample[output_key], sample[target_key]
    if not are_shares(output, target):
        function = partial(functional.cross_entropy, label_smoothing=smoothing)
        return class_loss(function, sample, output_key, target_key, weight, reduction, ignore_index)
    logits = widened(output, output_key)
    shares = torch.as_tensor(target).to(logits)
    weights = None if weight is None else class_weights(weight, logits)
    return functional.cross_entropy(logits, shares, weights, reduction=reduction, label_smoothing=smoothing)
