"""What a data iterable yields, as a list of mini-batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from leaven.errors import LeavenError
from leaven_plugins.trainers.standard.validity import valid_part

Sample = dict[str, Any]


def mini_batches_of(item: Any) -> list[Sample]:
    """Return the mini-batches of one iteration, without rows that hold no sample; those without any row are left out.

    Args:
        item: ``(iteration, mini_batches)`` as a loader yields it, a list of sample dicts, or a single one.

    Raises:
        LeavenError: it is none of these.
    """
    parts = (valid_part(dict(sample)) for sample in samples_in(item))
    return [part for part in parts if part is not None]


def samples_in(item: Any) -> Sequence[Mapping[str, Any]]:
    """Return the mini-batches of one iteration as they are; raises as :func:`mini_batches_of` does."""
    if isinstance(item, tuple) and len(item) == 2 and not isinstance(item[0], Mapping):
        item = item[1]
    if isinstance(item, Mapping):
        item = [item]
    if not isinstance(item, Sequence) or not item or not all(isinstance(sample, Mapping) for sample in item):
        raise LeavenError(
            f"data must be (iteration, mini_batches), a list of sample dicts or one of them, not {type(item).__name__}"
        )
    return item


def rows_of(sample: Mapping[str, Any]) -> int:
    """Return the number of rows of a mini-batch: the length of its first array, tensor or list.

    Raises:
        LeavenError: there is none.
    """
    for value in sample.values():
        if getattr(value, "shape", ()):
            return int(value.shape[0])
    for value in sample.values():
        if isinstance(value, list):
            return len(value)
    raise LeavenError(f"a sample without arrays has no rows; its keys: {', '.join(map(str, sample)) or 'none'}")
