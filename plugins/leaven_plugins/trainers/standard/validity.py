"""Validity: the rows of a mini-batch that hold a sample."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

MASK = "valid"


def valid_part(sample: dict[str, Any]) -> dict[str, Any] | None:
    """Return the sample without the rows that its mask ``valid`` says hold none.

    Args:
        sample: with one bool for each row under ``valid``, or without, where all rows count.

    Returns:
        The same dict where all rows count, ``None`` where none does, else a new one: of arrays, tensors and lists that
        have an entry for each row, those that count; everything else as it is.
    """
    mask = _mask(sample.get(MASK))
    if mask is None or mask.all():
        return sample
    if not mask.any():
        return None
    places = np.flatnonzero(mask)
    return {key: _picked(value, places, len(mask)) for key, value in sample.items()}


def _mask(value: Any) -> NDArray[np.bool_] | None:
    if isinstance(value, torch.Tensor):
        value = value.cpu().numpy()
    return value if isinstance(value, np.ndarray) and value.dtype == np.bool_ and value.ndim == 1 else None


def _picked(value: Any, places: NDArray[np.int64], rows: int) -> Any:
    if isinstance(value, list):
        return [value[place] for place in places] if len(value) == rows else value
    if getattr(value, "shape", ())[:1] != (rows,):
        return value
    if isinstance(value, torch.Tensor):
        return value.index_select(0, torch.from_numpy(places).to(value.device))
    return value[places]
