"""Reductions: how the values of a loss become one."""

from __future__ import annotations

from torch import Tensor

from leaven.errors import ParameterError

REDUCTIONS = ("mean", "sum", "none")


def check_reduction(reduction: str) -> None:
    """Raise :class:`~leaven.errors.ParameterError` unless ``reduction`` is one of ``REDUCTIONS``."""
    if reduction not in REDUCTIONS:
        raise ParameterError(f"reduction {reduction!r}: expected {', '.join(REDUCTIONS)}")


def reduced(values: Tensor, reduction: str, counted: Tensor | None = None) -> Tensor:
    """Return the mean of values, their sum, or the values themselves.

    Args:
        values: floats of any shape, 0 where they do not count.
        reduction: one of ``REDUCTIONS``.
        counted: bool in the same shape, which of them the mean is over; by default all. The mean of none is 0.
    """
    if reduction == "none":
        return values
    if reduction == "sum":
        return values.sum()
    return values.mean() if counted is None else values.sum() / counted.sum().clamp(min=1)
