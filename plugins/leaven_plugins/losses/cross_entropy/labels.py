"""Class numbers and shares of classes, in the shape that an output asks for, and a loss between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError
from leaven_plugins.losses.constants import constant
from leaven_plugins.losses.pairs import long_axes, widened


def class_loss(
    function: Callable[..., Tensor],
    sample: Mapping[str, Any],
    output_key: str,
    target_key: str,
    weight: Sequence[float] | None,
    reduction: str,
    ignore_index: int,
) -> Tensor:
    """Return ``function`` (one of torch's losses over classes) of a sample's output and labels.

    The mean over a batch in which no label counts, or only labels of weight 0, is 0.

    Raises:
        LeavenError: labels that do not fit the output, or, on the CPU, one that is not a class. (On a CUDA device torch
            stops the process' use of the device instead.)
    """
    output = widened(sample[output_key], output_key)
    target = labels_for(output, sample[target_key], target_key)
    check_classes(target, output.shape[1], ignore_index, target_key)
    weights = None if weight is None else class_weights(weight, output)
    applied = partial(function, output, target, weight=weights, ignore_index=ignore_index)
    if reduction != "mean":
        return applied(reduction=reduction)
    total = _total_weight(target, weights, ignore_index)  # torch's own mean divides by 0, also in its gradient
    return (applied(reduction="sum") / total.where(total != 0, 1)).where(total != 0, 0)


def labels_for(output: Tensor, target: Tensor, target_key: str) -> Tensor:
    """Return the class numbers as int64, one for each row (and position) of ``output``, on its device.

    Args:
        output: ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target: integers ``(rows, *positions)``, further axes of length one do not count: ``(rows, 1)``.
        target_key: what to call the target in an error.

    Raises:
        LeavenError: the target is not integer, or of another shape.
    """
    target = torch.as_tensor(target)
    wanted = (output.shape[0], *output.shape[2:])
    if target.is_floating_point() or target.is_complex():
        raise LeavenError(f"{target_key}: class numbers must be integers, not {target.dtype} of {tuple(target.shape)}")
    if output.ndim < 2 or long_axes(target) != [n for n in wanted if n != 1] or target.numel() != prod(wanted):
        raise LeavenError(
            f"{target_key}: class numbers of shape {tuple(target.shape)} do not fit an output of shape "
            f"{tuple(output.shape)}; expected {wanted}"
        )
    return target.reshape(wanted).to(output.device).long()


def check_classes(labels: Tensor, classes: int, ignore_index: int, target_key: str) -> None:
    """See that labels ``(rows, ...)`` on the CPU are classes; elsewhere a look at them would wait for the device.

    Raises:
        LeavenError: one is neither from 0 to below ``classes`` nor ``ignore_index``; the text has its row.
    """
    if labels.device.type != "cpu":
        return
    bad = ((labels < 0) | (labels >= classes)) & (labels != ignore_index)
    if bool(bad.any()):
        row = int(bad.flatten(1).any(1).nonzero()[0]) if labels.ndim > 1 else int(bad.nonzero()[0])
        raise LeavenError(
            f"{target_key}: class {int(labels[row][bad[row]].flatten()[0])} in row {row} of the batch, "
            f"but the output's classes are 0 to {classes - 1}"
        )


def class_weights(weight: Sequence[float], output: Tensor) -> Tensor:
    """Return one weight for each class of an output ``(rows, classes, ...)``, beside it.

    Raises:
        LeavenError: there are not as many weights as classes.
    """
    if output.ndim < 2 or len(weight) != output.shape[1]:
        raise LeavenError(
            f"{len(weight)} weights do not fit an output of shape {tuple(output.shape)}: one for each class"
        )
    return constant(weight, output)


def are_shares(output: Tensor, target: Any) -> bool:
    """Return whether a target holds a share of each class: floats in the shape of the output."""
    found = torch.as_tensor(target)
    return found.is_floating_point() and found.shape == output.shape and output.ndim >= 2


def _total_weight(labels: Tensor, weights: Tensor | None, ignore_index: int) -> Tensor:
    counted = labels != ignore_index
    return counted.sum() if weights is None else weights[labels.where(counted, 0)].where(counted, 0).sum()
