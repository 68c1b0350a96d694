"""Class numbers and shares of classes, in the shape that an output asks for, and a loss between the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError

REDUCTIONS = ("mean", "sum", "none")


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

    Raises:
        LeavenError: labels that do not fit the output, or, on the CPU, one that is not a class. (On a CUDA device torch
            stops the process' use of the device instead.)
    """
    output = sample[output_key]
    target = labels_for(output, sample[target_key], target_key)
    weights = None if weight is None else torch.as_tensor(weight, dtype=output.dtype, device=output.device)
    try:
        return function(output, target, weight=weights, reduction=reduction, ignore_index=ignore_index)
    except IndexError as error:
        raise LeavenError(_out_of_range(target, output.shape[1], ignore_index, target_key)) from error


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
    if output.ndim < 2 or _long_axes(target) != [n for n in wanted if n != 1] or target.numel() != prod(wanted):
        raise LeavenError(
            f"{target_key}: class numbers of shape {tuple(target.shape)} do not fit an output of shape "
            f"{tuple(output.shape)}; expected {wanted}"
        )
    return target.reshape(wanted).to(output.device).long()


def are_shares(output: Tensor, target: Any) -> bool:
    """Return whether a target holds a share of each class: floats in the shape of the output."""
    found = torch.as_tensor(target)
    return found.is_floating_point() and found.shape == output.shape and output.ndim >= 2


def check_reduction(reduction: str) -> None:
    """Raise :class:`~leaven.errors.ParameterError` unless ``reduction`` is one of ``REDUCTIONS``."""
    if reduction not in REDUCTIONS:
        raise ParameterError(f"reduction {reduction!r}: expected {', '.join(REDUCTIONS)}")


def _long_axes(target: Tensor) -> list[int]:
    return [size for size in target.shape if size != 1]


def _out_of_range(target: Tensor, classes: int, ignore_index: int, target_key: str) -> str:
    bad = ((target < 0) | (target >= classes)) & (target != ignore_index)
    row = int(bad.flatten(1).any(1).nonzero()[0]) if target.ndim > 1 else int(bad.nonzero()[0])
    number = int(target[row][bad[row]].flatten()[0])
    return f"{target_key}: class {number} in row {row} of the batch, but the output's classes are 0 to {classes - 1}"
