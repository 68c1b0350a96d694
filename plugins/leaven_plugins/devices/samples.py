"""Samples in parts: rows of a batch divided among devices, and put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from leaven.errors import LeavenError

Sample = dict[str, Any]

MASK = "valid"
"""Which rows hold a sample. It stays on the CPU: whoever asks it would wait for a device."""


def split_sample(sample: Mapping[str, Any], parts: int) -> list[Sample]:
    """Divide a sample's rows evenly, in their order; the first parts have one more where that does not come out even.

    Arrays, tensors and lists have one entry for each row; tensors and arrays without dimensions, and whatever else
    there is, are in each part. Parts are views. There are fewer of them where there are fewer rows, but at least one.

    Raises:
        LeavenError: entries have different numbers of rows.
    """
    lengths = {key: len(value) for key, value in sample.items() if _has_rows(value)}
    rows = next(iter(lengths.values()), 0)
    for key, length in lengths.items():
        if length != rows:
            raise LeavenError(f"a sample with {rows} rows of {next(iter(lengths))!r} and {length} of {key!r}")
    cuts = _cuts(rows, max(1, min(parts, rows)))
    return [
        {key: value[start:stop] if key in lengths else value for key, value in sample.items()} for start, stop in cuts
    ]


def moved(sample: Mapping[str, Any], device: torch.device) -> Sample:
    """Return the sample with its tensors on the device, but for the mask ``valid``."""
    return {
        key: value.to(device, non_blocking=True) if isinstance(value, Tensor) and key != MASK else value
        for key, value in sample.items()
    }


def joined(samples: Sequence[Mapping[str, Any]], device: torch.device) -> Sample:
    """Put the rows of samples together on one device: the way back from :func:`split_sample`.

    Tensors without dimensions, such as a loss of each part, become a tensor with one entry for each; arrays and lists
    are put together; of everything else, the first sample's is taken. CPU tensors stay on the CPU.

    Raises:
        LeavenError: the samples have different keys.
    """
    first = samples[0]
    for other in samples[1:]:
        if other.keys() != first.keys():
            raise LeavenError(f"samples with different keys cannot be put together: {sorted(other.keys() ^ first)}")
    return {key: _joined([sample[key] for sample in samples], device) for key in first}


def _joined(values: list[Any], device: torch.device) -> Any:
    value = values[0]
    if isinstance(value, Tensor):
        tensors = [part if part.device.type == "cpu" else part.to(device, non_blocking=True) for part in values]
        return torch.stack(tensors) if not value.ndim else torch.cat(tensors)
    if isinstance(value, np.ndarray) and value.ndim:
        return np.concatenate(values)
    return [entry for part in values for entry in part] if isinstance(value, list) else value


def _has_rows(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, (np.ndarray, Tensor)) and value.ndim > 0)


def _cuts(rows: int, parts: int) -> list[tuple[int, int]]:
    least, more = divmod(rows, parts)
    starts = [part * least + min(part, more) for part in range(parts + 1)]
    return list(pairwise(starts))
