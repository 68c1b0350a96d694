"""Composite: samples of several datasets side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import class_names, content
from leaven.data.view import checked, numbered, title
from leaven.errors import DatasetError, ParameterError, SampleError
from leaven_plugins.datasets.combination.parts import check_datasets, taken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset

_LENGTHS: dict[str, Callable[[list[int]], int]] = {"shortest": min, "longest": max}


@dataclass(frozen=True, eq=False)
class Composite:
    """Several datasets as one, whose samples have what those of all of them have at the same position.

    Args:
        datasets: at least one. The first one gives keys, labels and class names.
        layout: ``flatten`` puts the fields of all into one mapping, those of the second dataset that the first has too
            as ``image_2``, and so on. ``nested`` keeps each sample as a mapping of its own, under ``0``, ``1``, ...; a
            list of names does the same under these.
        length: ``shortest`` ends with the shortest dataset; ``longest`` goes on, the others begin again.

    Raises:
        ParameterError: there are no datasets, or a parameter is not what it has to be.
        DatasetError: at the first access: one of the datasets is empty, and cannot begin again.
    """

    datasets: Sequence[Dataset]
    layout: str | Sequence[str] = "flatten"
    length: str = "shortest"

    def __post_init__(self) -> None:
        check_datasets("composite", self.datasets)
        if self.length not in _LENGTHS:
            raise ParameterError(f"composite: length={self.length!r}: expected shortest or longest")
        if isinstance(self.layout, str):
            if self.layout not in ("flatten", "nested"):
                raise ParameterError(f"composite: layout={self.layout!r}: expected flatten, nested, or a list of names")
        elif not (
            isinstance(self.layout, Sequence)
            and all(isinstance(name, str) for name in self.layout)
            and len(self.layout) == len(set(self.layout) - {"key"}) == len(self.datasets)
        ):
            raise ParameterError(
                f"composite: layout={self.layout!r}: expected a name for each of {len(self.datasets)} datasets, "
                "all different, and none of them key"
            )

    def __len__(self) -> int:
        """Return the number of samples."""
        lengths = [len(dataset) for dataset in self.datasets]
        if self.length == "longest" and 0 in lengths and max(lengths):
            empty = title(self.datasets[lengths.index(0)])
            raise DatasetError(f"composite: {empty} has no samples, and cannot begin again; length='shortest' is none")
        return _LENGTHS[self.length](lengths)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key``, and what the datasets have.

        Raises:
            IndexError: there is no such sample; negative positions count from the end.
            SampleError: flattened, two fields would have the same name.
        """
        position = checked(index, len(self), self)
        parts = [content(dataset, position % len(dataset)) for dataset in self.datasets]
        if self.layout == "flatten":
            return {**_flat(parts, position), "key": self.key(position)}
        return {"key": self.key(position), **dict(zip(self._names(), parts, strict=True))}

    def key(self, index: int) -> str:
        """Return the name of a sample: its key in the first dataset, with ``#2`` once that has begun again."""
        position, first = checked(index, len(self), self), self.datasets[0]
        key = str(first.key(position % len(first)))
        return key if len(first) >= len(self) else numbered(key, position // len(first) + 1)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the first dataset's classes; none where samples are nested."""
        return class_names(self.datasets[0]) if self.layout == "flatten" else ()

    def close(self) -> None:
        """Close all datasets; the next access opens them again."""
        for dataset in self.datasets:
            dataset.close()

    def __getattr__(self, name: str) -> Any:
        """Hand on the getters of the first dataset; where samples are nested, have one for each of them."""
        verb, _, part = name.partition("_")
        if self.layout != "flatten" and verb == "getitem" and part in self._names():
            nested = self.datasets[self._names().index(part)]
            return self._again(nested, lambda position, ctx: content(nested, position))
        if self.layout == "flatten" and verb in ("getitem", "getall"):
            first = self.datasets[0]
            own = getattr(first, name)
            return self._again(first, own) if verb == "getitem" else lambda: taken([own()], self._rows(len(first)))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _names(self) -> list[str]:
        return [str(n) for n in range(len(self.datasets))] if isinstance(self.layout, str) else list(self.layout)

    def _again(self, dataset: Dataset, get: Callable[..., Any]) -> Callable[..., Any]:
        """Return a getter of one of the datasets, which begins again where that is shorter."""

        def read(index: int, ctx: dict[str, Any] | None = None) -> Any:
            return get(checked(index, len(self), self) % len(dataset), ctx)

        return read

    def _rows(self, length: int) -> NDArray[np.int64]:
        return np.arange(len(self)) % max(length, 1)


def _flat(parts: Sequence[Mapping[Any, Any]], position: int) -> dict[Any, Any]:
    """Return the fields of all parts; a name that was there already is followed by the number of the part."""
    fields: dict[Any, Any] = {}
    for number, part in enumerate(parts, 1):
        names = {name: f"{name}_{number}" if name in fields else name for name in part}
        for name, new in names.items():
            if new in fields or (new != name and new in part):
                text = f"composite: field {name!r} of dataset {number} would be {new!r}, which is there already; "
                raise SampleError(text + "layout='nested' keeps datasets apart", index=position, stage="read")
        fields.update((new, part[name]) for name, new in names.items())
    return fields
