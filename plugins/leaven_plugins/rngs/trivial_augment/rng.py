"""TrivialAugment: one augmentation of a list, of any strength."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from leaven.protocols import Rng
from leaven_plugins.rngs.augmentations import USUAL, WIDE, Chosen, augmented, check_names, op_names
from leaven_plugins.rngs.epochs import at_epoch
from leaven_plugins.rngs.fitting import check_fit, check_ops, check_placing

if TYPE_CHECKING:
    import numpy as np

    from leaven.protocols import ImageInfo
    from leaven.stream.buffers import BufferSpec

_STRENGTHS = 31


@dataclass(frozen=True)
class TrivialAugment:
    """Draws one augmentation, and one of 31 strengths from nothing to the strongest.

    Müller and Hutter, "TrivialAugment: tuning-free yet state-of-the-art data augmentation" (2021). The strongest, in
    either direction: rotation by 135 degrees, shear 0.99, translation by a seventh of the target, factors of
    brightness, contrast, colour and sharpness 0.01 or 1.99; all values inverted, 6 bits lost.

    The worker's ``ops`` need those of ``names`` that are ops: ``brighten``, ``contrast_factor``, ``saturate``,
    ``sharpen``, ``solarize``, ``posterize``, ``equalize`` and ``autocontrast``.

    Args:
        names: what to choose from.
        wide: ``False`` takes the ranges of ``rand_augment``.
        base: draws before; its geometry is added to, and its ops run first. Usually ``"imagenet"``.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    names: Sequence[str] = tuple(WIDE)
    wide: bool = True
    base: Rng | None = None

    def __post_init__(self) -> None:
        check_names(self.names)

    def draw(self, info: ImageInfo, spec: BufferSpec, random: np.random.Generator) -> dict[str, Any]:
        """Return the parameters of one image."""
        values = {} if self.base is None else self.base.draw(info, spec, random)
        name, strength, sign = random.random(3).tolist()
        amount = int(strength * _STRENGTHS) / (_STRENGTHS - 1) * (1 if sign < 0.5 else -1)
        chosen = [Chosen(self.names[int(name * len(self.names))], amount)]
        most = WIDE if self.wide else USUAL
        return augmented(values, chosen, self.names, most, (info.height, info.width), spec.shape[-2:])

    def at_epoch(self, epoch: int) -> TrivialAugment:
        """Return what draws in one epoch."""
        return self if self.base is None else replace(self, base=at_epoch(self.base, epoch))

    def check(self, fixed: Collection[str], keys: Collection[str]) -> None:
        """Check that a worker's ops read what is drawn for them, and that translations stay what they are.

        Raises:
            ParameterError: one of them does not.
        """
        check_fit(self.base, fixed, keys)
        check_ops("trivial_augment", op_names(self.names), keys)
        if {"translate_x", "translate_y"} & set(self.names):
            check_placing("trivial_augment", fixed)
