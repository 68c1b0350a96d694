"""Drawn: bases of ops by what they draw: one number or one decision, under their own name, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, inf
from typing import Any, ClassVar

import numpy as np

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.ranges import Range, check_probability, check_range, within


class NumberOp:
    """Base of ops that read one number.

    A subclass is a dataclass with the fields ``<name>_range`` and ``prob``: it draws within the range, with that
    probability, and without a range never.
    """

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]
    idle: ClassVar[float | None] = None
    """The number that leaves an image as it is."""
    lowest: ClassVar[float] = -inf
    highest: ClassVar[float] = inf
    whole: ClassVar[bool] = False
    """Whether the number is an integer."""

    prob: float

    def __post_init__(self) -> None:
        name = f"{self.name}_range"
        check_range(name, self._range)
        check_probability("prob", self.prob)
        if not all(self.lowest <= value <= self.highest for value in self._range or ()):
            raise ParameterError(f"{name} is {self._range!r}; {self._limits}")

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return the number under the op's name; ``None`` where there is none."""
        whether, chance = random.random(2).tolist()
        if self._range is None or whether >= self.prob:
            return {self.name: None}
        if not self.whole:
            return {self.name: within(self._range, chance)}
        low, high = sorted(self._range)
        return {self.name: floor(within((low, high + 1), chance))}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether there is a number that changes something."""
        value = values.get(self.name)
        return value is not None and value != self.idle

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return the number in a draw.

        Raises:
            ImageError: it is out of range.
        """
        value = values[self.name]
        if not self.lowest <= value <= self.highest:
            raise ImageError(f"{self.name} is {value!r}; {self._limits}")
        return int(value) if self.whole else value

    @property
    def _limits(self) -> str:
        return f"it has to lie within {self.lowest} and {self.highest}"

    @property
    def _range(self) -> Range | None:
        limits: Range | None = getattr(self, f"{self.name}_range")
        return limits


class DecisionOp:
    """Base of ops that are done or not. A subclass is a dataclass with the field ``prob``."""

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]]

    prob: float

    def __post_init__(self) -> None:
        check_probability("prob", self.prob)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return whether it is done, under the op's name."""
        return {self.name: random.random() < self.prob}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether it is done."""
        return bool(values.get(self.name))


class FixedOp:
    """Base of ops of which nothing is drawn: they are done to every image."""

    name: ClassVar[str]
    keys: ClassVar[tuple[str, ...]] = ()

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return true."""
        return True
