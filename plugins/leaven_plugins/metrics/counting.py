"""Counting classes: which ones an output names, which ones are right, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.losses.cross_entropy.labels import labels_for


class Classes(NamedTuple):
    """Class numbers of a batch, int64 ``(rows, *positions)``, and which of them count.

    ``outside`` is how many labels are neither classes nor ignored, as a scalar tensor.
    """

    predicted: Tensor
    actual: Tensor
    counts: Tensor
    outside: Tensor


def class_targets(output: Tensor, target: Any, target_key: str) -> Tensor:
    """Return class numbers, int64 ``(rows, *positions)``, on the output's device.

    Args:
        output: ``(rows, classes)`` or ``(rows, classes, *positions)``.
        target: class numbers, of which axes of length one do not count; or, in the output's shape, a share for each
            class (also one-hot), of which the class with the largest is taken. Of one score, floats are the share of
            class 1.
        target_key: what to call the target in an error.

    Raises:
        LeavenError: the target is neither.
    """
    target = torch.as_tensor(target)
    if output.ndim >= 2 and target.shape == output.shape:
        shares: Tensor = target.to(output.device)
        if output.shape[1] > 1:  # there is no argmax of bool, and of some integers
            return (shares if shares.is_floating_point() else shares.long()).argmax(1)
        if shares.is_floating_point():
            return (shares[:, 0] > 0.5).long()
    return labels_for(output, target, target_key)


def classes_of(
    sample: Mapping[str, Any], output_key: str, target_key: str, classes: int, ignore_index: int, threshold: float = 0.5
) -> Classes:
    """Return what an output names and what is right, without waiting for the device.

    Args:
        sample: the sample dict.
        output_key: key of the scores, ``(rows, classes, *positions)``, of which the highest wins; or of one score,
            ``(rows, 1, *positions)``, where there are two classes.
        target_key: key of the target, as of :func:`class_targets`.
        classes: how many there are.
        ignore_index: class number that does not count.
        threshold: above it, one score is class 1.

    Raises:
        LeavenError: an output of another number of classes, labels that do not fit it.
    """
    output = sample[output_key].detach()
    actual = class_targets(output, sample[target_key], target_key)
    if output.shape[1] not in ((1, 2) if classes == 2 else (classes,)):
        raise LeavenError(
            f"{output_key}: {output.shape[1]} classes in an output of {tuple(output.shape)}, not {classes}"
        )
    predicted = output.argmax(1) if output.shape[1] > 1 else (output[:, 0] > threshold).long()
    counts, outside = counted(actual, classes, ignore_index)
    return Classes(predicted, actual, counts, outside)


def counted(actual: Tensor, classes: int, ignore_index: int) -> tuple[Tensor, Tensor]:
    """Return which labels count, and how many are neither classes nor ignored."""
    is_class = (actual >= 0) & (actual < classes)
    is_kept = actual != ignore_index
    return is_class & is_kept, (is_kept & ~is_class).sum()


def tally(numbers: Tensor, counts: Tensor, size: int) -> Tensor:
    """Return how often each number from 0 to below ``size`` occurs where ``counts`` is true, int64 ``(size,)``.

    ``torch.bincount`` does the same, but waits for a CUDA device to learn the largest number.
    """
    bins = torch.where(counts, numbers, size).flatten()  # what does not count goes into a bin of its own
    zeros = torch.zeros(size + 1, dtype=torch.int64, device=bins.device)
    return zeros.scatter_add_(0, bins, torch.ones_like(bins))[:size]


def check_labels(outside: Tensor, target_key: str, ignore_index: int) -> None:
    """Raise :class:`~leaven.errors.LeavenError` if labels have been seen that are not classes."""
    if number := int(outside):
        raise LeavenError(
            f"{target_key}: {number} of the labels seen {'are' if number > 1 else 'is'} none of the output's classes; "
            f"only ignore_index={ignore_index} may be"
        )


def check_classes(metric: str, classes: int) -> None:
    """Raise :class:`~leaven.errors.ParameterError` unless there are two classes or more."""
    if classes < 2:
        raise ParameterError(f"{metric}: classes={classes}: must be at least 2")
