"""Sometimes, OneOf and Nothing: ops by chance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo, Op
from leaven_plugins.ops.errors import ImageError
from leaven_plugins.ops.frames import apply_to_frames
from leaven_plugins.ops.ranges import check_probability

Image = NDArray[Any]
Change = Callable[[Op], Op]


class _Choice(ABC):
    name: ClassVar[str]

    @abstractmethod
    def _chosen(self, values: Mapping[str, Any]) -> tuple[Op, Mapping[str, Any]]:
        """Return the op that was chosen, and its values."""

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether an op was chosen, and applies."""
        if not values.get(self.name):
            return False
        op, drawn = self._chosen(values)
        return op.applies(drawn)

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image after the op that was chosen."""
        op, drawn = self._chosen(values)
        return op.apply(image, drawn, random)

    def apply_frames(
        self, frames: Sequence[Image], values: Mapping[str, Any], random: np.random.Generator
    ) -> list[Image]:
        """Return a sequence of images after the op that was chosen."""
        op, drawn = self._chosen(values)
        return apply_to_frames(op, frames, drawn, random)


@dataclass(frozen=True)
class Sometimes(_Choice):
    """Does an op with a probability.

    It reads ``sometimes``: a table with what the op drew under ``values``, or nothing where it is not done.

    Args:
        op: what is done.
        prob: how often.

    Raises:
        ParameterError: ``prob`` is not within 0 and 1.
    """

    name: ClassVar = "sometimes"
    keys: ClassVar[tuple[str, ...]] = ("sometimes",)
    example: ClassVar[Mapping[str, Any]] = {"op": {"use": "grayscale"}, "prob": 0.5}

    op: Op
    prob: float = 0.5

    def __post_init__(self) -> None:
        check_probability("prob", self.prob)

    @property
    def keeps_size(self) -> bool:
        """Whether the op leaves an image's size as it is."""
        return getattr(self.op, "keeps_size", True)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return what the op draws, or nothing."""
        done = random.random() < self.prob
        return {"sometimes": {"values": self.op.draw(random, info)} if done else None}

    def with_parts(self, change: Change) -> Sometimes:
        """Return the same with another op."""
        return replace(self, op=change(self.op))

    def _chosen(self, values: Mapping[str, Any]) -> tuple[Op, Mapping[str, Any]]:
        return self.op, values["sometimes"]["values"]


@dataclass(frozen=True)
class OneOf(_Choice):
    """Does exactly one of several ops.

    It reads ``one_of``: a table with the op's position under ``index``, and what it drew under ``values``.

    Args:
        ops: to choose from.
        probs: how often each is chosen, together 1; ``None`` for all equally often.

    Raises:
        ParameterError: there is no op, or the probabilities are not as many as the ops, negative, or not 1 together.
    """

    name: ClassVar = "one_of"
    keys: ClassVar[tuple[str, ...]] = ("one_of",)
    example: ClassVar[Mapping[str, Any]] = {"ops": ({"use": "grayscale"}, {"use": "equalize"})}

    ops: Sequence[Op]
    probs: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not self.ops:
            raise ParameterError("ops is empty; there has to be something to choose from")
        if self.probs is None:
            return
        if len(self.probs) != len(self.ops) or min(self.probs) < 0 or abs(sum(self.probs) - 1) > 1e-6:
            raise ParameterError(f"probs is {self.probs!r}; it has to be {len(self.ops)} probabilities, together 1")

    @property
    def keeps_size(self) -> bool:
        """Whether each of the ops leaves an image's size as it is."""
        return all(getattr(op, "keeps_size", True) for op in self.ops)

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return which op is done, and what it draws."""
        chance, last = random.random(), len(self.ops) - 1
        bounds = accumulate(self.probs) if self.probs else (i / (last + 1) for i in range(1, last + 2))
        index = next((i for i, bound in enumerate(bounds) if chance < bound), last)
        return {"one_of": {"index": index, "values": self.ops[index].draw(random, info)}}

    def with_parts(self, change: Change) -> OneOf:
        """Return the same with other ops."""
        return replace(self, ops=[change(op) for op in self.ops])

    def _chosen(self, values: Mapping[str, Any]) -> tuple[Op, Mapping[str, Any]]:
        index = values["one_of"]["index"]
        if not 0 <= index < len(self.ops):
            raise ImageError(f"one_of has no op number {index}; there are {len(self.ops)}")
        return self.ops[index], values["one_of"]["values"]


@dataclass(frozen=True)
class Nothing:
    """Does nothing; to be one of several that are chosen from."""

    name: ClassVar = "nothing"
    keys: ClassVar[tuple[str, ...]] = ()

    def draw(self, random: np.random.Generator, info: ImageInfo) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return false."""
        return False

    def apply(self, image: Image, values: Mapping[str, Any], random: np.random.Generator) -> Image:
        """Return the image itself."""
        return image
