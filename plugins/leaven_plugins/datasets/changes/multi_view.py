"""MultiView: several views of each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.changed import Changed
from leaven.data.lazy import lazy
from leaven.errors import ParameterError
from leaven_plugins.datasets.bounds import check_whole
from leaven_plugins.datasets.changes.functions import Change, change_of

if TYPE_CHECKING:
    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class MultiView(Changed):
    """The samples of a dataset, one field of which is a list of views of what it was.

    What functions put into their ``ctx`` is under ``view0``, ``view1``, ... of the sample's.

    Args:
        dataset: whose samples it shows.
        configs: what the views are, one after the other: a function as for ``map``; a number of views as they are; a
            pair of number and function; or a table with ``views`` (1 by default) and ``function``.
        field: the field that becomes a list.
        seed: each view has a source of chance of its own, keyed by this, the position and the view; a whole number
            from 0 on.

    Raises:
        ParameterError: one of ``configs`` is something else, or there is none; or a function needs a seed.
    """

    dataset: Dataset
    configs: Sequence[Any]
    field: str = "image"
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.seed is not None:
            check_whole("multi_view", seed=self.seed)
        self._views  # noqa: B018 - what is wrong with it is told now

    @property
    def part(self) -> str:
        """The field."""
        return self.field

    def change(self, value: Any, position: int, ctx: dict[str, Any] | None) -> list[Any]:
        """Return the views of a value."""
        views = []
        for number, view in enumerate(self._views):
            random = None if self.seed is None else np.random.default_rng((self.seed + position, number))
            within: dict[str, Any] | None = None if ctx is None else ctx.setdefault(f"view{number}", {})
            views.append(value if view is None else view(value, random, within))
        return views

    @lazy
    def _views(self) -> list[Change | None]:
        if isinstance(self.configs, (str, Mapping)) or not len(self.configs):
            raise ParameterError(f"multi_view: configs={self.configs!r}: expected a list of at least one")
        seeded = self.seed is not None
        pairs = [_config(config) for config in self.configs]
        made = [
            (count, None if function is None else change_of("multi_view", function, seeded))
            for count, function in pairs
        ]
        return [change for count, change in made for _ in range(count)]


def _config(config: Any) -> tuple[int, Any]:
    """Return how many views there are to be, and the function of them or ``None``."""
    function: Any = config
    count: Any = 1
    if isinstance(config, int):
        count, function = config, None
    elif isinstance(config, (list, tuple)) and len(config) == 2 and isinstance(config[0], int):
        count, function = config
    elif isinstance(config, Mapping):
        if unknown := sorted(map(str, config.keys() - {"views", "function"})):
            raise ParameterError(f"multi_view: no key {unknown[0]!r} of a view; there are: function, views")
        count, function = config.get("views", 1), config.get("function")
    check_whole("multi_view", 1, views=count)
    return count, function
