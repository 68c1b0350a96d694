"""Mixup: samples blended with others, and their labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from leaven_plugins.collators.mixer import Mixer
from leaven_plugins.collators.mixing import MixingChances


@dataclass(frozen=True)
class Mixup(Mixer):
    """Blends samples: ``lambda * image + (1 - lambda) * partner``, and their labels by the same shares.

    Zhang et al., "mixup: beyond empirical risk minimization" (2018). The batch gets ``target``, float32
    ``(rows, classes)``, which ``cross_entropy`` takes with ``target_key = "target"``; ``label`` stays as it is. Its
    list ``mixup`` says of each row what was done to it: ``{"lambda": 0.8, "partner": 3}``, the partner being a row of
    the batch.

    Args:
        classes: how many there are; needed where labels are class numbers.
        keys: arrays ``(rows, ...)`` to blend. Integers are rounded.
        label: key of the labels: class numbers, or floats, which are mixed as they are.
        target: key that the mixed labels get. What another collator has put there is mixed instead of the labels.
        apply_mode: whether to mix is decided once for the ``"batch"``, or for each ``"sample"``.
        lambda_mode: one lambda for the ``"batch"``, or one for each ``"sample"``.
        shuffle_mode: which rows are partners: the first and the last (``"flip"``), each and the one before it
            (``"roll"``), or ``"random"`` ones.
        alpha: lambda is drawn from Beta(alpha, alpha): 1 is uniform, less keeps nearer to 0 and 1. Above 0.
        prob: how often to mix.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    name: ClassVar = "mixup"

    alpha: float = 0.2
    prob: float = 1.0

    @property
    def chances(self) -> MixingChances:
        """How mixings are drawn."""
        return MixingChances(
            mixup_alpha=self.alpha,
            mixup_prob=self.prob,
            apply_mode=self.apply_mode,
            lambda_mode=self.lambda_mode,
            shuffle_mode=self.shuffle_mode,
        )

    def without_chance(self) -> Mixup:
        """Return what makes targets, and mixes nothing: for validation."""
        return replace(self, prob=0.0)
