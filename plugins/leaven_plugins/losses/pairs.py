"""Pairs of an output and its target: floats of one shape, on one device, in float32 at least."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError

_ROUNDING = 1e-3  # float16 has steps of 5e-4 below 1, and of 1e-3 above


def pair(sample: Mapping[str, Any], output_key: str, target_key: str) -> tuple[Tensor, Tensor]:
    """Return a sample's output, and its target in the output's shape, dtype and device.

    Args:
        sample: the sample dict.
        output_key: key of floats ``(rows, ...)``.
        target_key: key of numbers of any dtype in the same shape; axes of length one behind the rows do not count.

    Raises:
        LeavenError: the shapes do not fit, or the output is not float.
    """
    output = widened(sample[output_key], output_key)
    target = torch.as_tensor(sample[target_key])
    if target.shape[:1] != output.shape[:1] or long_axes(target) != long_axes(output):
        raise LeavenError(
            f"{target_key}: a target of shape {tuple(target.shape)} does not fit an output of shape "
            f"{tuple(output.shape)} ({output_key}); both have to be the same"
        )
    return output, target.to(output).reshape(output.shape)


def widened(output: Tensor, output_key: str) -> Tensor:
    """Return an output in float32, or as it is where it is that or wider: sums in float16 overflow at 65504.

    Raises:
        LeavenError: the output is not float.
    """
    if not output.is_floating_point():
        raise LeavenError(f"{output_key}: expected floats, not {output.dtype} of {tuple(output.shape)}")
    return output.float() if output.dtype in (torch.float16, torch.bfloat16) else output


def within_unit(values: Tensor, key: str) -> Tensor:
    """Return values that have to be from 0 to 1, but for roundings, such as sums of mixed shares have.

    On a device, where a look at them would wait, others become NaN.

    Raises:
        LeavenError: on the CPU, values outside.
    """
    outside = (values < -_ROUNDING) | (values > 1 + _ROUNDING)
    if values.device.type == "cpu" and bool(outside.any()):
        raise LeavenError(f"{key}: expected values from 0 to 1, not {values.min():g} to {values.max():g}")
    return values.clamp(0, 1).masked_fill(outside, torch.nan)


def long_axes(tensor: Tensor) -> list[int]:
    """Return the lengths of the axes that are longer than one."""
    return [size for size in tensor.shape if size != 1]
