"""Validity: the rows of a batch that hold a sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def valid_rows(batch: Mapping[str, Any]) -> NDArray[np.bool_] | None:
    """Return the batch's mask ``valid``, or ``None`` where every row holds a sample."""
    mask = batch.get("valid")
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.ndim != 1:
        return None
    return None if mask.all() else mask
