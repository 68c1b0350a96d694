"""Rows: several batches as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def joined(samples: Sequence[Mapping[str, Any]], most: int | None = None) -> dict[str, Any]:
    """Return the rows of several batches as one batch of at most ``most`` rows, of copies.

    Of values that are neither arrays nor lists, the first one counts.
    """
    batch = dict(samples[0])
    for key, first in samples[0].items():
        if isinstance(first, np.ndarray):
            batch[key] = np.concatenate([sample[key] for sample in samples])[:most]
        elif isinstance(first, list):
            batch[key] = [entry for sample in samples for entry in sample[key]][:most]
    return batch


def rows_of(sample: Mapping[str, Any]) -> int:
    """Return the number of rows of a batch."""
    return next(len(value) for value in sample.values() if isinstance(value, (np.ndarray, list)))
