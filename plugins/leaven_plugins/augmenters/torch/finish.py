"""Finish: what becomes of images after the ops: normalised, in another dtype."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from leaven.errors import ParameterError, suggestion
from leaven_plugins.augmenters.units import DTYPES, Span, from_unit, span_of, to_unit


class Finish:
    """Normalises images, and changes their dtype.

    Args:
        normalize: mean and standard deviation, each a number or one for each channel, of values with 0 for black and 1
            for white; ``None`` for none.
        out_dtype: name of the dtype; by default float32 if there is ``normalize``, otherwise that of the images.

    Raises:
        ParameterError: ``normalize`` is not two lists of as many numbers, a deviation is not positive, or there is no
            such dtype, or it holds no normalised values.
    """

    def __init__(
        self, normalize: tuple[Sequence[float], Sequence[float]] | None = None, out_dtype: str | None = None
    ) -> None:
        self.mean, self.std = _statistics(normalize)
        if out_dtype is not None and out_dtype not in DTYPES:
            there = f"there are: {', '.join(DTYPES)}"
            raise ParameterError(f"out_dtype is {out_dtype!r}{suggestion(str(out_dtype), DTYPES)}; {there}")
        self.dtype = torch.float32 if out_dtype is None and self.mean else DTYPES.get(out_dtype or "")
        if self.mean and not (self.dtype and self.dtype.is_floating_point):
            raise ParameterError(f"out_dtype is {out_dtype!r}; normalised values are floats")

    def check_channels(self, channels: int) -> None:
        """Refuse images of another number of channels than there are means.

        Raises:
            ParameterError: there is neither one mean nor one for each channel.
        """
        if len(self.mean) not in (0, 1, channels):
            raise ParameterError(f"normalize has {len(self.mean)} means for images of {channels} channels")

    def __call__(self, images: torch.Tensor, span: Span) -> torch.Tensor:
        """Return images as they are wanted; those of another dtype have its own black and white."""
        if not self.mean and self.dtype in (None, images.dtype):
            return images
        self.check_channels(images.shape[1])
        unit = to_unit(images, span)
        dtype = self.dtype or images.dtype
        if not self.mean:
            return from_unit(unit, dtype, span_of(dtype))
        shape = (1, -1, 1, 1)
        mean, std = (_constant(values, unit).view(shape) for values in (self.mean, self.std))
        return ((unit - mean) / std).to(dtype)


def _constant(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    """Return values on a device; from pinned memory, since a copy from any other is waited for."""
    constant = torch.tensor(values, dtype=like.dtype)
    if like.is_cuda:
        constant = constant.pin_memory()
    return constant.to(like.device, non_blocking=True)


def _statistics(
    normalize: tuple[Sequence[float], Sequence[float]] | None,
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if normalize is None:
        return (), ()
    if isinstance(normalize, str) or len(normalize) != 2:
        raise ParameterError(f"normalize is {normalize!r}; it has to be two lists: means and standard deviations")
    mean, std = (tuple(float(each) for each in (part if isinstance(part, Sequence) else [part])) for part in normalize)
    if len(mean) != len(std) or not mean or min(std) <= 0:
        raise ParameterError(f"normalize is {normalize!r}; it has to be as many means as standard deviations above 0")
    return mean, std
