"""Rows: what batches can be taken from by position, each kind in the form that its batches have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.data.arrays import common_length, take
from leaven.data.getters import content
from leaven.errors import ParameterError, SampleError, listing

INDEX = "index"
"""Under which name a batch that is a mapping has the positions of its samples."""


class Rows(NamedTuple):
    """Samples by position.

    ``dataset`` is what a sampler goes over: it has ``len``, and fields where the samples have names for them.
    ``take(indices)`` returns the batch of the samples there. ``opened`` says that the dataset was opened here.
    """

    dataset: Any
    take: Callable[[NDArray[np.int64]], Any]
    opened: bool = False


def rows_of(data: Any) -> Rows:
    """Return the rows of an array, of arrays in a list, tuple or mapping, or of a dataset, which may be told by name.

    Raises:
        ParameterError: it is something else, or arrays differ in length.
        LeavenError: there is no such dataset.
    """
    if isinstance(data, Mapping) and "use" not in data:
        columns = _Columns(data)
        return Rows(columns, columns.take)
    if isinstance(data, Mapping) or hasattr(data, "__fspath__") or isinstance(data, str):
        from leaven.registry.opening import open_dataset

        dataset = open_dataset(data)
        return Rows(dataset, partial(_of_samples, dataset), opened=True)
    if hasattr(data, "sample"):
        return Rows(data, partial(_of_samples, data))
    if isinstance(data, (list, tuple)):
        return Rows(range(common_length(data)), lambda indices: tuple(take(array, indices) for array in data))
    if hasattr(data, "__array__") or hasattr(data, "shape"):
        return Rows(range(common_length([data])), partial(take, data))
    raise ParameterError(
        f"batches of a {type(data).__name__}: expected an array, arrays in a list, tuple or mapping, a dataset, its "
        "name or path, or a source"
    )


def with_indices(batch: Any, indices: NDArray[np.int64]) -> Any:
    """Return a batch with the positions of its samples: in front of arrays, in a dict by the name ``index``.

    Raises:
        ParameterError: samples have a field of that name.
    """
    if not isinstance(batch, dict):
        return (indices, *batch) if isinstance(batch, tuple) else (indices, batch)
    if INDEX in batch:
        raise ParameterError(f"include_indices: samples have a field {INDEX!r} of their own")
    return {INDEX: indices, **batch}


class _Columns:
    """Arrays with names. To samplers they are a dataset."""

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._length = common_length(arrays.values())
        self._arrays = arrays

    def __len__(self) -> int:
        return self._length

    def sample(self, index: int) -> dict[str, Any]:
        return {name: array[index] for name, array in self._arrays.items()}

    def take(self, indices: NDArray[np.int64]) -> dict[str, Any]:
        return {name: take(array, indices) for name, array in self._arrays.items()}


def _of_samples(dataset: Any, indices: NDArray[np.int64]) -> dict[Any, Any]:
    """Return the fields of samples by name."""
    samples = [content(dataset, index) for index in indices.tolist()]
    names = samples[0].keys()
    for index, sample in zip(indices.tolist(), samples, strict=True):
        if sample.keys() != names:
            odd = listing(map(str, sample.keys() ^ names))
            raise SampleError(f"not the fields of sample {indices[0]}: {odd}", index=index, stage="collate")
    return {name: _stacked([sample[name] for sample in samples]) for name in names}


def _stacked(values: list[Any]) -> Any:
    """Return numbers, or arrays of one shape and dtype, as one array; other values as they are."""
    first = values[0]
    if isinstance(first, np.ndarray):
        same = {(value.shape, value.dtype) if isinstance(value, np.ndarray) else None for value in values}
        return np.stack(values) if len(same) == 1 else values
    if all(isinstance(value, (int, float, np.number, np.bool_)) for value in values):
        found = np.array(values)
        rounded = found.dtype.kind == "f" and all(isinstance(value, (int, np.integer)) for value in values)
        return found if found.dtype.kind in "biuf" and not rounded else values
    return values
