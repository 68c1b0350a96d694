"""Samples that are kept, and a number of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from leaven_plugins.trainers.standard.batches import rows_of

Sample = dict[str, Any]


def kept(sample: Sample) -> Sample:
    """Return a copy, without what gradients would go back through, that holds no memory of a loader."""
    return {key: _mapped(_copy, value) for key, value in sample.items()}


def last_rows(samples: Sequence[Sample], count: int) -> list[Sample]:
    """Return the last ``count`` rows of all samples together, in order."""
    found: list[Sample] = []
    for sample in reversed(samples):
        if count <= 0:
            break
        rows = rows_of(sample)
        found.append(sample if rows <= count else _cut(sample, rows, slice(rows - count, None)))
        count -= rows
    return found[::-1]


def first_rows(samples: Iterable[Sample], count: int) -> list[Sample]:
    """Return the first ``count`` rows of all samples together; no more samples are asked for than these need."""
    found: list[Sample] = []
    for sample in samples:
        rows = rows_of(sample)
        found.append(kept(sample if rows <= count else _cut(sample, rows, slice(count))))
        count -= rows
        if count <= 0:
            break
    return found


def _copy(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.detach().clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def _cut(sample: Sample, rows: int, part: slice) -> Sample:
    """Return a part of the rows, of everything that has as many."""

    def cut(value: Any) -> Any:
        return value[part] if getattr(value, "shape", ())[:1] == (rows,) else value

    return {
        key: value[part] if isinstance(value, list) and len(value) == rows else _mapped(cut, value)
        for key, value in sample.items()
    }


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """Return the same structure with something else in the place of what is in it."""
    if isinstance(value, dict):
        return {key: _mapped(function, part) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_mapped(function, part) for part in value)
    return function(value)
