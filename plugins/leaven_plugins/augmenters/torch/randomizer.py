"""Randomizer: ops on a batch, by torch's operations."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from leaven.protocols import Model
from leaven_plugins.augmenters.batch import Values, images_of, values_of
from leaven_plugins.augmenters.steps import merged, sequence
from leaven_plugins.augmenters.torch.finish import Finish
from leaven_plugins.augmenters.torch.running import run
from leaven_plugins.augmenters.torch.table import DEFAULT_OPS, chosen
from leaven_plugins.augmenters.units import Span, full_precision, span_of


class Randomizer(nn.Module):
    """Does to a batch what image workers have left to the device, with the values that they have drawn.

    Reads ``sample[input_key]``, ``(rows, channels, height, width)``, and ``sample["augmentation"]``, a dict for each
    row. Integers stand for [0, 1] by their dtype's whole range, floats for themselves. Each row goes through the ops
    that its ``gpu_augmentation`` says (all where it says nothing), in the order that its ``order`` says. Integers are
    rounded after each op, as in a worker. Rows without ops, and those that hold no sample, stay exactly as they are.

    Noise is a function of ``seed``, the row's ``cell`` and the place in the image alone. Where a row has no ``cell``,
    it depends on the row's number and on how many batches came before.

    Args:
        net: gets the sample then; ``None`` for none.
        ops: which ones there are, in the order for rows that have none and do not name what was left out: any of
            ``flip``, ``tone``, ``noise_rgb``, ``noise_other``, ``blur``, ``grayscale``, ``brighten``,
            ``contrast_factor``, ``saturate``, ``hue``, ``saturation``.
        normalize: mean and standard deviation, each a list of one or as many numbers as there are channels, of values
            within [0, 1]; done to all rows in the end. ``None`` for none.
        out_dtype: name of the dtype in the end; by default float32 if there is ``normalize``, otherwise that of the
            images.
        white: what stands for white, in place of what the dtype says: 255 for floats as image workers make them.
        seed: of the noise.
        input_key: key of the images.

    Raises:
        ParameterError: there is no such op or dtype, or ``normalize`` is not what it has to be.
    """

    def __init__(
        self,
        net: Model | None = None,
        ops: Sequence[str] = DEFAULT_OPS,
        normalize: tuple[Sequence[float], Sequence[float]] | None = None,
        out_dtype: str | None = None,
        white: float | None = None,
        seed: int = 0,
        input_key: str = "image",
    ) -> None:
        super().__init__()
        self.net = net
        self._ops = chosen(ops)
        self._workers_ops = {name: each.op for name, each in self._ops.items()}
        self.ops = tuple(self._ops)
        self._finish = Finish(normalize, out_dtype)
        self.white = white
        self._seed = seed
        self._input_key = input_key
        self._calls = 0
        self._has_warned = False

    def forward(self, sample: dict[str, Any]) -> dict[str, Any]:
        """Return a copy of the sample with other images, or what the network makes of it.

        Raises:
            ParameterError: images or values are missing, not of their shape, or a worker has left out another op.
        """
        images = images_of(sample, self._input_key)
        values = values_of(sample, len(images))
        span = span_of(images.dtype, high=self.white)
        self._warn_of_nothing_left(values)
        with full_precision(images):
            changed = self.augmented(images, values, span, self._calls)
        self._calls += 1
        handed = {**sample, self._input_key: _laid_out_as(images, changed)}
        return handed if self.net is None else self.net(handed)

    def augmented(self, images: torch.Tensor, values: Sequence[Values], span: Span, call: int) -> torch.Tensor:
        """Return images after their ops, normalised and in the dtype that is wanted.

        Args:
            images: ``(rows, channels, height, width)``.
            values: of each row.
            span: what stands for black and white.
            call: how many batches came before.
        """
        sequences = [sequence(row, self._workers_ops) for row in values]
        changed = run(images, values, merged(sequences), self._ops, span, self._seed, call)
        return self._finish(changed, span)

    def _warn_of_nothing_left(self, values: Sequence[Values]) -> None:
        """Tell once where training has an augmenter and workers that leave nothing to it."""
        if self._has_warned or not self.training or not values:
            return
        if all(row.get("gpu_augmentation", True) is False for row in values):
            self._has_warned = True
            warnings.warn(
                "the augmenter has nothing to do: workers leave no ops to it; give them gpu_augmentation=True",
                stacklevel=3,
            )


def _laid_out_as(images: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
    """Return what became of images with the channels of a pixel beside each other, if they were so."""
    if images.is_contiguous() or not images.is_contiguous(memory_format=torch.channels_last):
        return changed
    return changed.contiguous(memory_format=torch.channels_last)
