"""Arrays as tensors that share their memory, where torch can."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def is_numeric(value: Any) -> bool:
    """Return whether ``value`` is an array that can be a tensor: of truth values or numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "biufc"


def tensor_of(array: NDArray[Any]) -> torch.Tensor:
    """Return a CPU tensor of the same shape and dtype, which keeps the array alive.

    It is a copy where torch cannot share the memory: foreign byte order, negative strides, arrays that cannot be
    written.
    """
    return torch.from_numpy(_shareable(array))


def _shareable(array: NDArray[Any]) -> NDArray[Any]:
    if not array.dtype.isnative:
        return array.astype(array.dtype.newbyteorder("="))
    if not array.flags.writeable or any(stride < 0 for stride in array.strides):
        return array.copy()
    return array
