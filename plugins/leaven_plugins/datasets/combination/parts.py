"""Several datasets shown as one: in which of them a sample is, and what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from leaven.data.getters import class_names, getall, getter, has_all, has_getter
from leaven.data.lazy import forget, lazy, state
from leaven.data.view import numbered, title
from leaven.errors import DatasetError, ParameterError, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Place(NamedTuple):
    """Where a sample is: in which dataset, and at which position; and how often it has been shown before."""

    part: int
    position: int
    lap: int = 0


class Several:
    """The base of datasets that show samples of ``datasets`` one at a time; these are frozen dataclasses.

    What it finds out is kept in lazy properties, which :meth:`close` drops, and which do not travel.
    """

    if TYPE_CHECKING:

        @property
        def datasets(self) -> Sequence[Any]:
            """The datasets."""

    def __len__(self) -> int:
        """Return the number of samples."""
        raise NotImplementedError

    def place(self, index: int) -> Place:
        """Return where the sample at ``index`` is; negative ones count from the end.

        Raises:
            IndexError: there is no such sample.
        """
        raise NotImplementedError

    def rows(self) -> NDArray[np.int64]:
        """Return for each sample its position among those of all datasets in a row, int64 ``(n,)``."""
        raise NotImplementedError

    def sample(self, index: int) -> bytes | Mapping[str, Any]:
        """Return a sample as its dataset has it; raises as :meth:`place` and that do."""
        part, position, _ = self.place(index)
        sample: bytes | Mapping[str, Any] = self.datasets[part].sample(position)
        return sample

    def key(self, index: int) -> str:
        """Return the unique name of a sample.

        It is followed by ``#2`` where the sample is in the second dataset, and the first one has such a key too.
        """
        part, position, lap = self.place(index)
        key = str(self.datasets[part].key(position))
        known = any(key in keys for keys in self._keys[:part])
        return numbered(key, lap * len(self.datasets) + (part if known else 0) + 1)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes; none where one of the datasets has none."""
        return self.sizes.class_names

    def close(self) -> None:
        """Close all datasets, and forget what was found out; the next access opens them again."""
        forget(self)
        for dataset in self.datasets:
            dataset.close()

    @lazy
    def sizes(self) -> Sizes:
        """The datasets' lengths.

        Raises:
            DatasetError: a label means one class in one dataset, and another in another.
        """
        lengths = [len(dataset) for dataset in self.datasets]
        return Sizes(lengths, [0, *accumulate(lengths)], _common_names(self.datasets))

    def __getstate__(self) -> dict[str, Any]:
        return state(self)

    def __getattr__(self, name: str) -> Any:
        """Hand on ``offset``, and the getters that one of the datasets has."""
        if name == "offset":
            return self._at_places([dataset.offset for dataset in self.datasets])
        part = name.removeprefix("getitem_")
        if part != name and any(has_getter(dataset, part) for dataset in self.datasets):
            return self._at_places([getter(dataset, part) for dataset in self.datasets])
        part = name.removeprefix("getall_")
        if part != name and any(has_all(dataset, part) for dataset in self.datasets):
            return lambda: taken([getall(dataset, part) for dataset in self.datasets], self.rows())
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @lazy
    def _keys(self) -> list[_Keys]:
        return [_Keys(dataset) for dataset in self.datasets[:-1]]

    def _at_places(self, inner: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
        def get(index: int, *ctx: Any, **named: Any) -> Any:
            part, position, _ = self.place(index)
            return inner[part](position, *ctx, **named)

        return get


class Sizes(NamedTuple):
    """How long each dataset is, where each begins (and the last ends) when they are put in a row, and their classes."""

    lengths: list[int]
    starts: list[int]
    class_names: tuple[str, ...]


class _Keys:
    """The keys of a dataset: it is asked where it can tell, otherwise all are read at the first question."""

    def __init__(self, dataset: Any) -> None:
        self._dataset = dataset

    def __contains__(self, key: str) -> bool:
        return key in (self._dataset if hasattr(type(self._dataset), "__contains__") else self._all)

    @lazy
    def _all(self) -> frozenset[str]:
        return frozenset(self._dataset.key(index) for index in range(len(self._dataset)))


def check_datasets(component: str, datasets: Any) -> None:
    """Raise a ``ParameterError`` where there is not even one dataset."""
    if not len(datasets):
        raise ParameterError(f"{component}: no datasets; expected at least one")


def _common_names(datasets: Sequence[Any]) -> tuple[str, ...]:
    """Return the class names that all datasets agree upon; some may have fewer than others."""
    named = {number: names for number, dataset in enumerate(datasets) if (names := class_names(dataset))}
    longest = max(named.values(), key=len, default=())
    for number, names in named.items():
        for label, (name, other) in enumerate(zip(names, longest, strict=False)):
            if name != other:
                raise DatasetError(
                    f"label {label} is {printable(name)!r} in {title(datasets[number])}, but {printable(other)!r} in "
                    "another of the datasets; give them the same labels first, with given_labels"
                )
    return longest if len(named) == len(datasets) else ()


def taken(parts: Sequence[Any], rows: NDArray[np.int64]) -> Any:
    """Return the values at some positions of parts in a row: an array of arrays that are alike, otherwise a list."""
    kinds = {(part.shape[1:], part.dtype.kind) if isinstance(part, np.ndarray) else None for part in parts}
    if len(kinds) == 1 and None not in kinds:
        return np.concatenate(parts)[rows]
    flat = [value for part in parts for value in part]
    return [flat[row] for row in rows.tolist()]
