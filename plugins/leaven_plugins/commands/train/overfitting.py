"""The same few samples again and again: a network that cannot learn these has a fault."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

from leaven_plugins.trainers.standard.batches import mini_batches_of, rows_of

Sample = dict[str, Any]


def kept_samples(data: Iterable[tuple[int, list[Sample]]], count: int) -> list[list[Sample]]:
    """Return the first ``count`` samples that a loader yields, in its iterations, as copies.

    Fewer where the data has fewer; rows that hold no sample do not count. Augmentation is what it was the first time.

    Args:
        data: yields ``(iteration, mini_batches)``.
        count: at least 1.
    """
    found: list[list[Sample]] = []
    left = count
    for item in data:
        parts = []
        for sample in mini_batches_of(item):
            rows = min(rows_of(sample), left)
            left -= rows
            if rows:
                parts.append({key: _head(value, rows_of(sample), rows) for key, value in sample.items()})
        if parts:
            found.append(parts)
        if not left:
            break
    return found


def _head(value: Any, rows: int, count: int) -> Any:
    if isinstance(value, torch.Tensor):
        return value[:count].clone() if value.shape[:1] == (rows,) else value.clone()
    if isinstance(value, list):
        return value[:count] if len(value) == rows else value
    return value[:count].copy() if getattr(value, "shape", ())[:1] == (rows,) else value
