"""Validity: the rows of a mini-batch that hold a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven.errors import LeavenError

MASK = "valid"


def valid_part(sample: dict[str, Any]) -> dict[str, Any] | None:
    """Return the sample without the rows that its mask ``valid`` says hold none.

    Args:
        sample: with one bool for each row under ``valid``, or without, where all rows count.

    Returns:
        The same dict where all rows count, ``None`` where none does, else a new one: of arrays, tensors and lists that
        have an entry for each row, those that count; everything else as it is.

    Raises:
        LeavenError: what is under ``valid`` is something else.
    """
    if sample.get(MASK) is None:
        return sample
    mask = _mask(sample)
    if mask.all():
        return sample
    if not mask.any():
        return None
    places = np.flatnonzero(mask)
    return {key: _picked(value, places, len(mask)) for key, value in sample.items()}


def _mask(sample: dict[str, Any]) -> NDArray[np.bool_]:
    value = sample[MASK]
    mask = value.cpu().numpy() if isinstance(value, torch.Tensor) else value
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.ndim != 1:
        kind = f"{value.dtype} of shape {tuple(value.shape)}" if hasattr(value, "dtype") else type(value).__name__
        raise LeavenError(
            f"{MASK!r}: expected an array of one bool for each row, got {kind}; give other data another name"
        )
    lengths = {key: _length(other) for key, other in sample.items() if key != MASK}
    known = {key: length for key, length in lengths.items() if length is not None}
    if known and len(mask) not in known.values():
        key, length = next(iter(known.items()))
        raise LeavenError(f"{MASK!r}: expected one bool for each row, got {len(mask)}, and {key!r} has {length} rows")
    return mask


def _length(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if shape is None:
        return len(value) if isinstance(value, list) else None
    return int(shape[0]) if len(shape) else None


def _picked(value: Any, places: NDArray[np.int64], rows: int) -> Any:
    if isinstance(value, list):
        return [value[place] for place in places] if len(value) == rows else value
    if getattr(value, "shape", ())[:1] != (rows,):
        return value
    if isinstance(value, torch.Tensor):
        return value.index_select(0, torch.from_numpy(places).to(value.device))
    return value[places]
