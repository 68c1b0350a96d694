"""Mix: mixup or cutmix, by chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from leaven_plugins.collators.mixer import Mixer
from leaven_plugins.collators.mixing import MixingChances


@dataclass(frozen=True)
class Mix(Mixer):
    """Blends samples as ``mixup`` does, pastes boxes as ``cutmix`` does, or leaves them, each with a probability.

    The batch gets ``target``, float32 ``(rows, classes)``, which ``cross_entropy`` takes with
    ``target_key = "target"``; ``label`` stays as it is. Its list ``mix`` says of each row what was done to it:
    ``{"lambda": 0.8, "partner": 3}``, with ``"box": [top, left, bottom, right]`` where one was pasted; the partner is
    a row of the batch.

    Args:
        classes: how many there are; needed where labels are class numbers.
        keys: arrays ``(rows, ..., height, width)`` of one size to mix.
        label: key of the labels: class numbers, or floats, which are mixed as they are.
        target: key that the mixed labels get. What another collator has put there is mixed instead of the labels.
        apply_mode: whether to mix at all is decided once for the ``"batch"``, or for each ``"sample"``.
        lambda_mode: how to mix, with which lambda or box, is drawn once for the ``"batch"``, or for each ``"sample"``.
        shuffle_mode: which rows are partners: the first and the last (``"flip"``), each and the one before it
            (``"roll"``), or ``"random"`` ones.
        mixup_alpha: lambda of blended samples is drawn from Beta(alpha, alpha). Above 0.
        cutmix_alpha: the same of pasted boxes.
        mixup_prob: how often to blend.
        cutmix_prob: how often to paste; both together are at most 1.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    name: ClassVar = "mix"

    mixup_alpha: float = 0.8
    cutmix_alpha: float = 1.0
    mixup_prob: float = 0.5
    cutmix_prob: float = 0.5

    @property
    def chances(self) -> MixingChances:
        """How mixings are drawn."""
        return MixingChances(
            self.mixup_alpha,
            self.cutmix_alpha,
            self.mixup_prob,
            self.cutmix_prob,
            self.apply_mode,
            self.lambda_mode,
            self.shuffle_mode,
        )

    def without_chance(self) -> Mix:
        """Return what makes targets, and mixes nothing: for validation."""
        return replace(self, mixup_prob=0.0, cutmix_prob=0.0)
