"""Mixer: what the collators that mix samples have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError, listing, suggestion
from leaven_plugins.collators.blending import mix_rows
from leaven_plugins.collators.mixing import Mixing, MixingChances
from leaven_plugins.collators.targets import mixed_targets, soft_targets, without_gaps
from leaven_plugins.collators.validity import valid_rows


@dataclass(frozen=True)
class Mixer:
    """Base of collators that mix samples; a subclass says by :attr:`chances` how."""

    name: ClassVar[str]

    classes: int | None = None
    keys: Sequence[str] = ("image",)
    label: str = "label"
    target: str = "target"
    apply_mode: str = "batch"
    lambda_mode: str = "batch"
    shuffle_mode: str = "flip"

    def __post_init__(self) -> None:
        if self.classes is not None and self.classes < 1:
            raise ParameterError(f"classes is {self.classes}; it has to be positive")
        if isinstance(self.keys, str) or not self.keys:
            raise ParameterError(f"keys is {self.keys!r}; it has to be a list of names, such as ['image']")
        _ = self.chances  # which checks the rest

    @property
    def chances(self) -> MixingChances:
        """How mixings are drawn."""
        raise LeavenError(f"{type(self).__name__} does not say how it mixes")

    def collate(self, batch: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        """Mix the arrays ``keys`` in place; return the batch with ``target`` and a list of what was done to each row.

        Rows that hold no sample are mixed with nothing, and have targets of 0.

        Raises:
            LeavenError: there is no such array, or labels are not what they have to be.
        """
        arrays = [self._array(batch, key) for key in self.keys]
        rows = len(arrays[0])
        labels = batch[self.target] if self.target in batch else self._labels(batch)
        mixing = self._drawn(arrays, random)
        if (valid := valid_rows(batch)) is not None:
            labels, mixing = without_gaps(labels, valid), mixing.among(valid)
        targets = soft_targets(labels, rows, self.classes, self.label)
        if valid is not None:
            targets[~valid] = 0
        for array in arrays:
            mix_rows(array, mixing)
        return {**batch, self.target: mixed_targets(targets, mixing), self.name: mixing.records()}

    def _drawn(self, arrays: Sequence[NDArray[Any]], random: np.random.Generator) -> Mixing:
        chances = self.chances
        size = self._size(arrays) if chances.cutmix_prob else None
        return chances.draw(random, len(arrays[0]), size)

    def _array(self, batch: dict[str, Any], key: str) -> NDArray[Any]:
        array = batch.get(key)
        if not isinstance(array, np.ndarray):
            hint = suggestion(key, batch) or f"; the batch has: {listing(batch)}"
            raise LeavenError(f"{self.name}: no array {key!r}{hint}")
        return array

    def _labels(self, batch: dict[str, Any]) -> Any:
        if self.label not in batch:
            hint = suggestion(self.label, batch) or f"; the batch has: {listing(batch)}"
            raise LeavenError(f"{self.name}: no labels {self.label!r}{hint}")
        return batch[self.label]

    def _size(self, arrays: Sequence[NDArray[Any]]) -> tuple[int, int]:
        sizes = {array.shape[1:][-2:] for array in arrays}
        if len(sizes) > 1 or len(min(sizes)) != 2:
            shapes = ", ".join(f"{key} {array.shape}" for key, array in zip(self.keys, arrays, strict=True))
            raise LeavenError(f"{self.name}: a box needs arrays (rows, ..., height, width) of one size, not {shapes}")
        return min(sizes)
