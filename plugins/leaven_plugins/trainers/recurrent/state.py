"""State: what a recurrent network keeps between two steps, tensors ``(rows, ...)`` in tuples, lists or dicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from leaven.errors import LeavenError


def mapped(function: Callable[[Tensor], Tensor], state: Any) -> Any:
    """Return the same structure of other tensors.

    Raises:
        LeavenError: there is something else in it.
    """
    if state is None:
        return None
    if isinstance(state, Tensor):
        return function(state)
    if isinstance(state, dict):
        return {key: mapped(function, part) for key, part in state.items()}
    if isinstance(state, (list, tuple)):
        return type(state)([mapped(function, part) for part in state])
    raise LeavenError(f"a recurrent state must be of tensors (rows, ...), and has a {type(state).__name__} in it")


def detached(state: Any) -> Any:
    """Return the state without what gradients would go back through."""
    return mapped(Tensor.detach, state)


def moved(state: Any, device: torch.device) -> Any:
    """Return the state on a device."""
    return mapped(lambda part: part.to(device), state)


def begun_anew(state: Any, rows: Tensor) -> Any:
    """Return the state with zeros in some rows.

    Args:
        state: of as many rows.
        rows: bool ``(rows,)``, which ones.

    Raises:
        LeavenError: the state is of another number of rows.
    """

    def zeroed(part: Tensor) -> Tensor:
        if part.shape[:1] != rows.shape:
            raise LeavenError(f"a recurrent state of shape {tuple(part.shape)} cannot go on in {len(rows)} rows")
        mask = rows.to(part.device).reshape(-1, *[1] * (part.ndim - 1))
        return torch.where(mask, torch.zeros_like(part), part)

    return mapped(zeroed, state)
