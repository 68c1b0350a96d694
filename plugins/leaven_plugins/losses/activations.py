"""Activations: whether the channels of an output are classes that exclude each other, or each one by itself."""

from __future__ import annotations

from torch import Tensor

from leaven.errors import LeavenError, ParameterError


def check_activation(activation: str) -> None:
    """Raise :class:`~leaven.errors.ParameterError` unless ``activation`` is ``"softmax"`` or ``"sigmoid"``."""
    if activation not in ("softmax", "sigmoid"):
        raise ParameterError(f"activation {activation!r}: expected softmax, sigmoid")


def check_channels(output: Tensor, output_key: str) -> None:
    """Raise :class:`~leaven.errors.LeavenError` where the softmax of an output is 1 everywhere."""
    if output.ndim < 2 or output.shape[1] < 2:
        raise LeavenError(
            f"{output_key}: shape {tuple(output.shape)}: softmax needs (rows, classes, ...) and two classes or more; "
            "use activation='sigmoid'"
        )
