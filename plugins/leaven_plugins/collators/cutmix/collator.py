"""Cutmix: boxes of samples pasted into others, and their labels mixed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from leaven_plugins.collators.mixer import Mixer
from leaven_plugins.collators.mixing import MixingChances


@dataclass(frozen=True)
class Cutmix(Mixer):
    """Pastes a box of another sample into each, and mixes their labels by the areas.

    Yun et al., "CutMix: regularization strategy to train strong classifiers with localizable features" (2019). The
    box's middle lies anywhere in the image, its sides are ``sqrt(1 - lambda)`` of the image's before it is cut at the
    borders; lambda is then made the share that is left. The batch gets ``target``, float32 ``(rows, classes)``, which
    ``cross_entropy`` takes with ``target_key = "target"``; ``label`` stays as it is. Its list ``cutmix`` says of each
    row what was done to it: ``{"lambda": 0.8, "partner": 3, "box": [top, left, bottom, right]}``, the partner being a
    row of the batch.

    Args:
        classes: how many there are; needed where labels are class numbers.
        keys: arrays ``(rows, ..., height, width)`` of one size to paste into; such as images and masks.
        label: key of the labels: class numbers, or floats, which are mixed as they are.
        target: key that the mixed labels get. What another collator has put there is mixed instead of the labels.
        apply_mode: whether to mix is decided once for the ``"batch"``, or for each ``"sample"``.
        lambda_mode: one box for the ``"batch"``, or one for each ``"sample"``.
        shuffle_mode: which rows are partners: the first and the last (``"flip"``), each and the one before it
            (``"roll"``), or ``"random"`` ones.
        alpha: lambda is drawn from Beta(alpha, alpha): 1 is uniform, less keeps nearer to 0 and 1. Above 0.
        prob: how often to mix.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    name: ClassVar = "cutmix"

    alpha: float = 1.0
    prob: float = 1.0

    @property
    def chances(self) -> MixingChances:
        """How mixings are drawn."""
        return MixingChances(
            cutmix_alpha=self.alpha,
            cutmix_prob=self.prob,
            apply_mode=self.apply_mode,
            lambda_mode=self.lambda_mode,
            shuffle_mode=self.shuffle_mode,
        )

    def without_chance(self) -> Cutmix:
        """Return what makes targets, and pastes nothing: for validation."""
        return replace(self, prob=0.0)
