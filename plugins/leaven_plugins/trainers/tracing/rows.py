"""Rows: single samples, put together as a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

import numpy as np
import torch
from torch import Tensor

from leaven.errors import LeavenError

Sample = dict[str, Any]


def row_of(sample: Any) -> Sample:
    """Return a sample of one row, with tensors in the place of arrays and numbers.

    Raises:
        LeavenError: it is no sample.
    """
    if not isinstance(sample, Mapping):
        raise LeavenError(f"an example's sample must be a dict, not of type {type(sample).__name__}")
    return {key: _as_tensor(value) for key, value in sample.items()}


def batch_of(rows: Sequence[Sample], device: torch.device) -> Sample:
    """Return a batch on a device: tensors ``(rows, ...)``, and lists of what is no tensor.

    Raises:
        LeavenError: the rows differ in keys or shapes.
    """
    first = rows[0]
    for row in rows:
        if row.keys() != first.keys():
            raise LeavenError(f"examples have different keys: {', '.join(first)}; and {', '.join(row)}")
    return {key: _together(key, [row[key] for row in rows], device) for key in first}


def apart(output: Tensor) -> list[Tensor]:
    """Return the rows of an output ``(rows, ...)`` on the CPU, float32 at least. This waits for the device."""
    output = output.detach().cpu()
    return list(output.float() if output.dtype in (torch.float16, torch.bfloat16) else output)


def _as_tensor(value: Any) -> Any:
    return torch.as_tensor(value) if isinstance(value, (Tensor, np.ndarray, np.generic, Number)) else value


def _together(key: str, values: list[Any], device: torch.device) -> Any:
    if not all(isinstance(value, Tensor) for value in values):
        return values
    shapes = sorted({tuple(value.shape) for value in values})
    if len(shapes) > 1:
        raise LeavenError(f"examples have {key!r} of different shapes: {', '.join(map(str, shapes))}")
    return torch.stack(values).to(device)
