"""RandAugment: some augmentations of a list, all of the same strength."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Any

from leaven.errors import ParameterError
from leaven.protocols import Rng
from leaven_plugins.ops.ranges import check_probability
from leaven_plugins.rngs.augmentations import USUAL, Chosen, augmented, check_names, op_names
from leaven_plugins.rngs.epochs import at_epoch
from leaven_plugins.rngs.fitting import check_fit, check_ops, check_placing

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec

_STRONGEST = 10


@dataclass(frozen=True)
class RandAugment:
    """Draws ``count`` different augmentations, all of one strength.

    Cubuk et al., "RandAugment: practical automated data augmentation with a reduced search space" (2020). At full
    strength, in either direction: rotation by 30 degrees, shear 0.3, translation by 0.45 of the target, factors of
    brightness, contrast, colour and sharpness 0.1 or 1.9; all values inverted, 4 bits lost.

    Rotation, shear and translation come with the rest of the geometry, before the ops; these run in the order in which
    they were drawn. The worker's ``ops`` need those of ``names`` that are ops: ``brighten``, ``contrast_factor``,
    ``saturate``, ``sharpen``, ``solarize``, ``posterize``, ``equalize`` and ``autocontrast``.

    Args:
        count: how many augmentations, at most as many as there are names.
        magnitude: their strength, 0 to 10.
        names: what to choose from.
        prob: how often each one that was chosen is applied.
        magnitude_sigma: standard deviation of the strength, which is kept within 0 and 10.
        base: draws before; its geometry is added to, and its ops run first. Usually ``"imagenet"``.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    count: int = 2
    magnitude: float = 9
    names: Sequence[str] = tuple(USUAL)
    prob: float = 1.0
    magnitude_sigma: float = 0
    base: Rng | None = None

    def __post_init__(self) -> None:
        check_names(self.names)
        check_probability("prob", self.prob)
        if not 0 <= self.count <= len(set(self.names)):
            raise ParameterError(f"count is {self.count}; there are {len(set(self.names))} different names")
        if not 0 <= self.magnitude <= _STRONGEST:
            raise ParameterError(f"magnitude is {self.magnitude!r}; it has to be within 0 and {_STRONGEST}")
        if not 0 <= self.magnitude_sigma < inf:
            raise ParameterError(f"magnitude_sigma is {self.magnitude_sigma!r}; a standard deviation is not negative")

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of one image."""
        values = {} if self.base is None else self.base.draw(info, spec, random)
        names = list(dict.fromkeys(self.names))
        numbers = random.permutation(len(names))[: self.count].tolist()
        chances, spreads = random.random((2, self.count)).tolist(), random.standard_normal(self.count).tolist()
        chosen = [
            Chosen(names[number], self._amount(spread) * (1 if sign < 0.5 else -1))
            for number, applied, sign, spread in zip(numbers, *chances, spreads, strict=True)
            if applied < self.prob
        ]
        return augmented(values, chosen, names, USUAL, (info.height, info.width), spec.shape[-2:])

    def at_epoch(self, epoch: int) -> RandAugment:
        """Return what draws in one epoch."""
        return self if self.base is None else replace(self, base=at_epoch(self.base, epoch))

    def check(self, fixed: Collection[str], keys: Collection[str]) -> None:
        """Check that a worker's ops read what is drawn for them, and that translations stay what they are.

        Raises:
            ParameterError: one of them does not.
        """
        check_fit(self.base, fixed, keys)
        check_ops("rand_augment", op_names(self.names), keys)
        if {"translate_x", "translate_y"} & set(self.names):
            check_placing("rand_augment", fixed)

    def _amount(self, spread: float) -> float:
        return min(max((self.magnitude + spread * self.magnitude_sigma) / _STRONGEST, 0), 1)
