"""Flip: mirrored images of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.torch.op import Columns, DeviceOp, Form, per_row
from leaven_plugins.augmenters.units import Span, signed, unsigned
from leaven_plugins.ops.flip.op import Flip

_KEYS = ("flip_left_right", "flip_top_bottom")


def columns(values: Sequence[Values], form: Form) -> dict[str, NDArray[Any]]:
    """Return a bool of each row for ``flip_left_right`` and ``flip_top_bottom``."""
    return {key: np.array([bool(row.get(key)) for row in values], np.bool_) for key in _KEYS}


def change(images: torch.Tensor, columns: Columns, span: Span) -> torch.Tensor:
    """Return mirrored images, of any dtype."""
    for key, axis in zip(_KEYS, (3, 2), strict=True):
        movable = signed(images)
        images = unsigned(torch.where(per_row(columns[key]), movable.flip(axis), movable), images.dtype)
    return images


FLIP = DeviceOp(Flip(), columns, change)
