"""Running: ops on a batch, step by step, with values that cross to the device in one copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError
from leaven_plugins.augmenters.batch import Values
from leaven_plugins.augmenters.keys import row_keys
from leaven_plugins.augmenters.packing import to_device
from leaven_plugins.augmenters.steps import Step
from leaven_plugins.augmenters.torch.op import DeviceOp, Form
from leaven_plugins.augmenters.units import Span, signed, unsigned

_ROWS = "rows"


def run(
    images: torch.Tensor,
    values: Sequence[Values],
    steps: Sequence[Step],
    ops: Mapping[str, DeviceOp],
    span: Span,
    seed: int,
    call: int,
) -> torch.Tensor:
    """Return images after steps; ``seed`` and ``call`` are those of :func:`~leaven_plugins.augmenters.keys.row_keys`.

    Rows that no step is for stay exactly as they are.
    """
    if not steps:
        return images
    _, channels, height, width = images.shape
    form = Form(channels, height, width, row_keys(values, seed, call))
    there = to_device(_arrays(values, steps, ops, form), images.device)
    for number, step in enumerate(steps):
        prefix = f"{number}."
        own = {name.removeprefix(prefix): column for name, column in there.items() if name.startswith(prefix)}
        images = _done(images, ops[step.op], own, span)
    return images


def _done(images: torch.Tensor, op: DeviceOp, columns: dict[str, torch.Tensor], span: Span) -> torch.Tensor:
    """Return images after an op on some of their rows: those under the column ``rows``, or all if there is none."""
    rows = columns.pop(_ROWS, None)
    if rows is None:
        return op.change(images, columns, span)
    movable = signed(images)
    changed = op.change(unsigned(movable[rows], images.dtype), columns, span)
    return unsigned(movable.index_put((rows,), signed(changed)), images.dtype)


def _arrays(
    values: Sequence[Values], steps: Sequence[Step], ops: Mapping[str, DeviceOp], form: Form
) -> dict[str, NDArray[Any]]:
    """Return ``"number.column"`` for each step: of its rows alone, whose numbers are there too if they are not all."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in {step.op: None for step in steps}:
        due = np.any([step.rows for step in steps if step.op == name], axis=0)
        used = [row if is_due else {} for row, is_due in zip(values, due, strict=True)]
        columns = _columns(name, ops[name], used, form)
        for number, step in enumerate(steps):
            if step.op == name:
                arrays |= {f"{number}.{column}": array[step.rows] for column, array in columns.items()}
    places = {
        f"{number}.{_ROWS}": np.flatnonzero(step.rows) for number, step in enumerate(steps) if not step.rows.all()
    }
    return arrays | places


def _columns(name: str, op: DeviceOp, used: Sequence[Values], form: Form) -> Mapping[str, NDArray[Any]]:
    try:
        return op.columns(used, form)
    except LeavenError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"op {name!r} cannot read its values: {error}") from error
