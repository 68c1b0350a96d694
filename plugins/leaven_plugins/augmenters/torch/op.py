"""DeviceOp: one of the worker's ops, as a function of a whole batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.steps import WorkersOp
from leaven_plugins.augmenters.units import Span, from_unit, to_unit

Columns = Mapping[str, torch.Tensor]
"""Values of a batch, as tensors ``(rows, ...)`` on its device."""


class Form(NamedTuple):
    """What is known of a batch of images on the host: the shape of one, and the keys of all rows."""

    channels: int
    height: int
    width: int
    keys: NDArray[np.uint64]


class DeviceOp(NamedTuple):
    """How an op is done to a batch.

    Attributes:
        op: the worker's op, which says by which name and keys it is known, and when it applies.
        columns: takes the values of each row, an empty dict where the op does not apply, and the batch's form; returns
            arrays ``(rows, ...)``. It runs on the host.
        change: takes images, the columns as tensors on their device, and what stands for black and white; returns
            images of the same shape and dtype. It never waits for the device, and what it does depends on shapes alone.
    """

    op: WorkersOp
    columns: Callable[[Sequence[Values], Form], Mapping[str, NDArray[Any]]]
    change: Callable[[torch.Tensor, Columns, Span], torch.Tensor]


def in_units(
    function: Callable[[torch.Tensor, Columns], torch.Tensor],
) -> Callable[[torch.Tensor, Columns, Span], torch.Tensor]:
    """Return ``DeviceOp.change`` of a function of images with 0 for black and 1 for white."""

    def change(images: torch.Tensor, columns: Columns, span: Span) -> torch.Tensor:
        return from_unit(function(to_unit(images, span), columns), images.dtype, span)

    return change


def per_row(column: torch.Tensor) -> torch.Tensor:
    """Return a column ``(rows,)`` or ``(rows, channels)`` as it broadcasts against images."""
    return column.reshape(*column.shape, *[1] * (4 - column.ndim))
