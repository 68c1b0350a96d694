"""Vetting: whether an answer fits what was asked, before it counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from leaven.stream.arena import Layout
from leaven.stream.messages import Done
from leaven.stream.sources import Stretch


def misfit(message: Done, stretch: Stretch, layout: Layout, shared: bool) -> str | None:
    """Return what is wrong with an answer, or ``None``.

    Args:
        message: the answer.
        stretch: what it is to be a batch of.
        layout: of the batch's arrays.
        shared: whether arrays may lie in the slot.
    """
    rows = [row for row, _ in message.failures]
    if len(set(rows)) < len(rows) or not all(0 <= row < len(stretch.indices) for row in rows):
        return f"failures in rows {rows[:8]} of {len(stretch.indices)}"
    if message.in_slot and (not shared or not set(message.in_slot) <= set(layout.fields)):
        return f"arrays in a slot that are not there: {', '.join(message.in_slot)[:100]}"
    if len(message.batches) != 1:
        return "several batches in one slot" if message.in_slot else None
    return _misshapen(message.batches[0], layout, stretch.rows)


def _misshapen(batch: Mapping[str, Any], layout: Layout, rows: int) -> str | None:
    """Arrays that came by message have the shapes and types that were declared, as those in slots have."""
    for key, (_, spec) in layout.fields.items():
        value = batch.get(key)
        if isinstance(value, np.ndarray) and (value.shape, value.dtype) != ((rows, *spec.shape), spec.dtype):
            return f"{key!r} as {value.dtype} {value.shape} instead of {spec.dtype} {(rows, *spec.shape)}"
    return None
