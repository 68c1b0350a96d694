"""Units: what the values of images stand for, 0 is black and 1 is white, in every dtype."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import torch

from leaven.errors import ParameterError

_INTEGERS = (torch.uint8, torch.int8, torch.uint16, torch.int16, torch.int32)
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
DTYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (*_INTEGERS, *_FLOATS)}
"""Name -> dtype of images."""


class Span(NamedTuple):
    """Which value stands for black and which for white."""

    low: float
    high: float

    @property
    def size(self) -> float:
        """The distance between them."""
        return self.high - self.low


def span_of(dtype: torch.dtype, low: float | None = None, high: float | None = None) -> Span:
    """Return what stands for black and for white: the dtype's whole range, 0 and 1 for floats, unless given.

    Raises:
        ParameterError: the dtype is none of :data:`DTYPES`, or nothing lies between the two.
    """
    if dtype not in DTYPES.values():
        raise ParameterError(f"images of {dtype}: there is no augmentation of these; use one of {', '.join(DTYPES)}")
    least, most = (0.0, 1.0) if dtype.is_floating_point else (torch.iinfo(dtype).min, torch.iinfo(dtype).max)
    span = Span(float(least if low is None else low), float(most if high is None else high))
    if not span.low < span.high:
        raise ParameterError(f"black is {span.low:g} and white is {span.high:g}; white has to be more")
    return span


def signed(images: torch.Tensor) -> torch.Tensor:
    """Return uint16 as int16 of the same bits, others as they are: to move pixels, torch has no uint16."""
    return images.view(torch.int16) if images.dtype == torch.uint16 else images


def unsigned(movable: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return what :func:`signed` has made as it was; gradients do not pass through a view as another dtype."""
    return movable if movable.dtype == dtype else movable.view(dtype)


def full_precision(images: torch.Tensor) -> AbstractContextManager[object]:
    """Return a context in which autocast, which networks train under, does not do the blur in 16 bits."""
    kind = images.device.type
    return torch.autocast(kind, enabled=False) if kind in ("cpu", "cuda") else nullcontext()


def to_unit(images: torch.Tensor, span: Span) -> torch.Tensor:
    """Return images with 0 for black and 1 for white: float32, or float64 where values have more than 24 bits."""
    working = torch.float64 if images.dtype in (torch.int32, torch.float64) else torch.float32
    if span == (0, 1):
        return images.to(working)
    return (images.to(working) - span.low) / span.size


def from_unit(images: torch.Tensor, dtype: torch.dtype, span: Span) -> torch.Tensor:
    """Return images with 0 for black and 1 for white in a dtype; for integers clipped and rounded."""
    if not dtype.is_floating_point:
        limits = torch.iinfo(dtype)
        return (images * span.size + span.low).round().clamp(limits.min, limits.max).to(dtype)
    return (images if span == (0, 1) else images * span.size + span.low).to(dtype)
