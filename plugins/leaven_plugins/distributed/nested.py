"""Tensors and numbers within lists, tuples and dicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import ParameterError


def mapped(function: Callable[[Any], Any], values: Any) -> Any:
    """Return ``values`` with ``function`` applied to each tensor and number, in the same order on each rank.

    Raises:
        ParameterError: something in it is neither.
    """
    if isinstance(values, Mapping):
        done = {key: mapped(function, values[key]) for key in _keys(values)}
        return {key: done[key] for key in values}
    if isinstance(values, (list, tuple)):
        parts = [mapped(function, part) for part in values]
        return parts if isinstance(values, list) else tuple(parts)
    if not isinstance(values, (Tensor, int, float)):
        raise ParameterError(f"a {type(values).__name__} cannot be reduced: expected tensors, numbers, lists and dicts")
    return function(values)


def layout(values: Any) -> str:
    """Return what has to be the same on all ranks: structure, shapes and dtypes.

    Raises:
        ParameterError: something in it is neither tensor nor number.
    """
    if isinstance(values, Mapping):
        return "{" + ", ".join(f"{key}: {layout(values[key])}" for key in _keys(values)) + "}"
    if isinstance(values, (list, tuple)):
        return "[" + ", ".join(map(layout, values)) + "]"
    return str(mapped(_leaf, values))


def reduced(value: Any, add: Callable[[Tensor], Tensor], mean: bool, size: int) -> Any:
    """Return the sum or mean of a tensor or number over ``size`` ranks; ``add`` adds a tensor's values of all ranks."""
    if not isinstance(value, Tensor):
        tensor = torch.tensor(value, dtype=torch.float64 if isinstance(value, float) or mean else torch.int64)
        return reduced(tensor, add, mean, size).item()
    total = add(_widened(value.detach()))
    if mean:
        total = total / size
    return total.to(value.dtype) if value.is_floating_point() else total


def _keys(values: Mapping[Any, Any]) -> list[Any]:
    return sorted(values, key=str)  # the order in which they were put in may be another one on each rank


def _widened(tensor: Tensor) -> Tensor:
    """Return a copy in a dtype in which ranks can be added."""
    if tensor.is_floating_point() and tensor.itemsize < torch.float32.itemsize:
        return tensor.float()
    exact = tensor.is_floating_point() or tensor.is_complex()
    return tensor.to(tensor.dtype if exact else torch.int64, copy=True).contiguous()


def _leaf(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')}{list(value.shape)}"
    return "float" if isinstance(value, float) else "int"
