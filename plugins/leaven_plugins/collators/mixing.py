"""Mixing: which rows of a batch are mixed with which others, how much of each, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError, suggestion
from leaven.protocols import Region

MODES = ("batch", "sample")
SHUFFLE_MODES = ("flip", "roll", "random")


class Mixing(NamedTuple):
    """What was drawn for one batch.

    Row ``i`` keeps the share ``lambdas[i]`` of itself and gets the rest of row ``partners[i]``: all over, or, where
    there is a box, within ``boxes[i]``. Rows that are not mixed are their own partners and keep all.
    """

    partners: NDArray[np.int64]
    lambdas: NDArray[np.float64]
    boxes: Sequence[Region | None]

    def among(self, valid: NDArray[np.bool_]) -> Mixing:
        """Return the mixing of the rows that are ``valid``: others, and those whose partner is one, are not mixed."""
        alone = ~(valid & valid[self.partners])
        return Mixing(
            np.where(alone, np.arange(len(valid)), self.partners),
            np.where(alone, 1.0, self.lambdas),
            [None if is_alone else box for box, is_alone in zip(self.boxes, alone, strict=True)],
        )

    def records(self) -> list[dict[str, Any]]:
        """Return what each row's batch entry says of it, as plain data."""
        rows = zip(self.lambdas.tolist(), self.partners.tolist(), self.boxes, strict=True)
        return [
            {"lambda": share, "partner": partner, **({} if box is None else {"box": list(box)})}
            for share, partner, box in rows
        ]


@dataclass(frozen=True)
class MixingChances:
    """How mixings are drawn.

    Args:
        mixup_alpha: of the distribution Beta(alpha, alpha) of lambda where rows are blended.
        cutmix_alpha: the same where a box is pasted.
        mixup_prob: how often rows are blended.
        cutmix_prob: how often a box is pasted; both together are at most 1.
        apply_mode: whether to mix is decided once for the ``"batch"``, or for each ``"sample"``.
        lambda_mode: lambda, box, and which of the two ways, are drawn once for the ``"batch"``, or for each
            ``"sample"``.
        shuffle_mode: which rows are partners: the first and the last (``"flip"``), each and the one before it
            (``"roll"``), or ``"random"`` ones; a row may then be its own.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    mixup_alpha: float = 1.0
    cutmix_alpha: float = 1.0
    mixup_prob: float = 0.0
    cutmix_prob: float = 0.0
    apply_mode: str = "batch"
    lambda_mode: str = "batch"
    shuffle_mode: str = "flip"

    def __post_init__(self) -> None:
        for name in ("mixup_alpha", "cutmix_alpha"):
            if not 0 < getattr(self, name) < inf:
                raise ParameterError(f"{name} is {getattr(self, name)!r}; it has to be above 0")
        total = self.mixup_prob + self.cutmix_prob
        if not (self.mixup_prob >= 0 and self.cutmix_prob >= 0 and total <= 1 + 1e-9):
            given = f"mixing by blending {self.mixup_prob!r} and by pasting {self.cutmix_prob!r}"
            raise ParameterError(f"probabilities of {given}: they have to be within 0 and 1, and together at most 1")
        for name, known in (("apply_mode", MODES), ("lambda_mode", MODES), ("shuffle_mode", SHUFFLE_MODES)):
            mode = getattr(self, name)
            if mode not in known:
                hint = suggestion(str(mode), known)
                raise ParameterError(f"{name} is {mode!r}{hint}; it has to be one of {', '.join(known)}")

    def draw(self, random: np.random.Generator, rows: int, size: tuple[int, int] | None) -> Mixing:
        """Return the mixing of a batch.

        Args:
            random: the only source of chance. A generator gives the same mixing as it does to KappaData's collator:
                hence the order in which partners and boxes are drawn.
            rows: how many there are.
            size: height and width of the images; it may be ``None`` where nothing is pasted.
        """
        total = self.mixup_prob + self.cutmix_prob
        together = self.lambda_mode == "batch"
        applied = random.random(1 if self.apply_mode == "batch" else rows) < total
        pasted = random.random(1 if together else rows) * total < self.cutmix_prob
        alphas = np.where(pasted, self.cutmix_alpha, self.mixup_alpha)
        lambdas = random.beta(alphas, alphas)
        if together:
            partners = self._partners(random, rows)
            boxes = _boxes(random, lambdas, pasted, size)
        else:
            boxes = _boxes(random, lambdas, pasted, size)
            partners = self._partners(random, rows)
        if size is not None:
            lambdas = np.array([_kept(box, size) if box else share for box, share in zip(boxes, lambdas, strict=True)])
        mixed = np.broadcast_to(applied, rows)
        spread: list[Region | None] = boxes * rows if together else boxes
        return Mixing(
            np.where(mixed, partners, np.arange(rows)),
            np.where(mixed, lambdas, 1.0),
            [box if is_mixed else None for box, is_mixed in zip(spread, mixed, strict=True)],
        )

    def _partners(self, random: np.random.Generator, rows: int) -> NDArray[np.int64]:
        if self.shuffle_mode == "random":
            return random.permutation(rows)
        numbers = np.arange(rows)
        return numbers[::-1] if self.shuffle_mode == "flip" else np.roll(numbers, 1)


def _boxes(
    random: np.random.Generator,
    lambdas: NDArray[np.float64],
    pasted: NDArray[np.bool_],
    size: tuple[int, int] | None,
) -> list[Region | None]:
    """Draw boxes that cover ``1 - lambda`` of an image, with a middle anywhere in it, and cut them at its borders."""
    if size is None or not pasted.any():
        return [None] * len(lambdas)
    middles = np.stack([random.integers(side, size=len(lambdas)) for side in size], axis=1)
    halves = (0.5 * np.sqrt(1 - lambdas)[:, None] * size).astype(np.int64)
    firsts, lasts = np.clip(middles - halves, 0, size), np.clip(middles + halves, 0, size)
    corners = np.concatenate([firsts, lasts], axis=1).tolist()
    return [Region(*box) if is_pasted else None for box, is_pasted in zip(corners, pasted, strict=True)]


def _kept(box: Region, size: tuple[int, int]) -> float:
    return 1 - (box.bottom - box.top) * (box.right - box.left) / (size[0] * size[1])
