"""Map: samples, or one field of them, changed by a function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.changed import Changed
from leaven.data.getters import content
from leaven.data.lazy import lazy
from leaven.errors import SampleError
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.changes.functions import Change, change_of

if TYPE_CHECKING:
    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Map(Changed):
    """The samples of a dataset, each changed by a function when it is read.

    Args:
        dataset: whose samples it shows.
        function: takes a value and returns another: that of ``field``, or without one a whole sample as a mapping. It
            may have parameters ``random``, a ``numpy.random.Generator``, and ``ctx``, a dict into which it may put what
            it has drawn, or ``None``. Instead of a function also its name as ``package.module:name``; an op, which gets
            images decoded to RGB and returns arrays; or a list, of which all is done one after the other.
        field: which field is changed; the others can then be read without it.
        seed: ``random`` is ``numpy.random.default_rng(seed + position)``: the same in each epoch; a whole number from 0
            on. Functions that leave nothing to chance need none.

    Raises:
        ParameterError: ``function`` is something else, or needs a seed.
    """

    dataset: Dataset
    function: Any
    field: str | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.seed is not None:
            check_whole("map", seed=self.seed)
        self._change  # noqa: B018 - what is wrong with it is told now

    @property
    def part(self) -> str:
        """The field."""
        return self.field or ""

    def change(self, value: Any, position: int, ctx: dict[str, Any] | None) -> Any:
        """Return what the function makes of a value."""
        random = None if self.seed is None else np.random.default_rng(self.seed + position)
        return self._change(value, random, ctx)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a changed sample.

        Raises:
            SampleError: the function has returned something else than a mapping.
        """
        if self.field is not None:
            return super().sample(index)
        position = self.position(index)
        changed = self.change(content(self.dataset, position), position, None)
        if not isinstance(changed, Mapping):
            text = f"the function returned {type(changed).__name__} instead of a mapping"
            raise SampleError(text, index=position, stage="prepare")
        return changed

    def hides(self, part: str) -> bool:
        """Hide all parts where samples are changed as a whole."""
        return self.field is None or super().hides(part)

    @lazy
    def _change(self) -> Change:
        return change_of("map", self.function, self.seed is not None)
