"""Packing: small arrays of different dtypes to a device, in one copy."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

_ALIGNMENT = 16  # bytes; views of a tensor have to begin at a multiple of their values' size


def to_device(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> dict[str, torch.Tensor]:
    """Return tensors of the same values, shapes and dtypes on a device.

    They are views of one buffer, which crosses from pinned memory without being waited for.
    """
    starts, size = _layout(arrays)
    packed = torch.empty(size, dtype=torch.uint8, pin_memory=device.type == "cuda")
    memory = packed.numpy()
    for name, array in arrays.items():
        memory[starts[name] : starts[name] + array.nbytes] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    there = packed.to(device, non_blocking=True)
    return {name: _view(there, starts[name], array) for name, array in arrays.items()}


def _layout(arrays: Mapping[str, NDArray[Any]]) -> tuple[dict[str, int], int]:
    starts, size = {}, 0
    for name, array in arrays.items():
        starts[name] = size
        size += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
    return starts, size


def _view(buffer: torch.Tensor, start: int, array: NDArray[Any]) -> torch.Tensor:
    dtype = torch.from_numpy(np.empty(0, array.dtype)).dtype
    return buffer[start : start + prod(array.shape) * array.itemsize].view(dtype).view(array.shape)
