"""Fields of a dataset by name and position, and how a batch is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from leaven.data.column_types import ColumnType
from leaven.data.getters import getitem
from leaven.errors import ParameterError, SampleError, listing, suggestion


class Fields:
    """What ``fetch`` is given: ``fields["label"][index]`` is one field of one sample.

    Args:
        source: a path or whatever else :func:`leaven.open` takes, a dataset, or a mapping from names to arrays.
        names: of those that will be asked for.

    Raises:
        ParameterError: a mapping has no such arrays, or some of other lengths.
        DatasetError: the source cannot be opened.
    """

    def __init__(self, source: Any, names: Sequence[str] | Mapping[str, Any]) -> None:
        self._arrays: Mapping[str, Any] | None = None
        self._opened = False
        if isinstance(source, Mapping) and not isinstance(source.get("use"), str):
            self._arrays = source
            self._length = _length_of(source, names)
            return
        self._opened = isinstance(source, (str, Path, Mapping, list))
        self._dataset = _open(source) if self._opened else source
        self._length = len(self._dataset)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Any:
        if self._arrays is not None:
            return self._arrays[name]
        return Field(self._dataset, name)

    def close(self) -> None:
        """Close the dataset, if it was opened here."""
        if self._opened:
            self._dataset.close()


@dataclass(frozen=True)
class Field:
    """One field of all samples; ``field[index]`` reads that of one."""

    dataset: Any
    name: str

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: Any) -> Any:
        return getitem(self.dataset, self.name, int(index))


def fetched(fields: Fields, types: Mapping[str, ColumnType], index: int) -> dict[str, Any]:
    """Return fields of a sample, each as a value of its type.

    Raises:
        SampleError: one is missing, or cannot be of this type.
    """
    found = {}
    for name, kind in types.items():
        value = fields[name][index]
        try:
            found[name] = kind.converted(value)
        except (ValueError, TypeError) as error:
            message = f"field {name!r} is no {'v' * kind.variable}{kind.base}: {error}"
            raise SampleError(message, index=index, stage="fetch") from error
    return found


def collated(items: Sequence[Mapping[str, Any]], types: Mapping[str, ColumnType]) -> dict[str, Any]:
    """Return the batch: an array of each field, a list of those that are variable or no numbers.

    Raises:
        ParameterError: samples have different fields, or the arrays of one differ in shape though its type does not say
            that they may.
    """
    for item in items:
        if item.keys() != items[0].keys():
            raise ParameterError(f"samples with different fields: {listing(items[0])}, and {listing(item)}")
    return {name: _together(name, [item[name] for item in items], types.get(name)) for name in items[0]}


def _together(name: str, values: list[Any], kind: ColumnType | None) -> Any:
    if not all(map(_is_numeric, values)):
        return values
    shapes = {np.shape(value) for value in values}
    if kind is not None and kind.variable and (len(shapes) > 1 or len(np.shape(values[0])) <= 1):
        return values
    if len(shapes) > 1:
        raise ParameterError(
            f"field {name!r}: rows of different shapes, {listing(map(str, shapes))}: 'v' in front of its type makes a "
            f"list of them, prep=... may make them alike"
        )
    return np.stack(values)


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "biufc"
    return isinstance(value, (int, float))


def _open(source: Any) -> Any:
    from leaven.registry.opening import open_dataset

    return open_dataset(source)


def _length_of(arrays: Mapping[str, Any], names: Sequence[str] | Mapping[str, Any]) -> int:
    for name in names:
        if name not in arrays:
            known = [str(key) for key in arrays]
            raise ParameterError(f"no array {name!r}{suggestion(name, known)}; there is: {listing(known)}")
    lengths = {str(name): len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        found = listing(f"{name} ({length})" for name, length in lengths.items())
        raise ParameterError(f"expected arrays of one length, there is: {found}")
    return next(iter(lengths.values()))
