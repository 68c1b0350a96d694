"""ArraysDataset: arrays in memory, or anything that is indexed like one, as a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import FormatError, ParameterError, listing, printable, suggestion
from leaven_plugins.datasets.arrays.sources import all_of, row_of, rows_of
from leaven_plugins.datasets.positions import checked

_WHERE = "dataset:arrays"


class ArraysDataset:
    """Columns of equal length, of which sample ``i`` has the rows ``i``.

    A column is anything with a ``len`` and ``[]``: arrays of numpy, also mapped ones, tensors, datasets of HDF5, lists,
    ``array.array``. Rows of arrays are views of them, not copies; single numbers become those of Python. What is
    handed to other processes goes with all its contents, so large arrays belong into a file (``dataset:npz``).

    Args:
        arrays: the columns by the names of their fields, such as ``{"image": images, "label": labels}``.
        key: the column that names samples, with unique texts or whole numbers; ``key`` by default where there is such a
            column, and otherwise samples are called by their positions.

    Raises:
        ParameterError: they are not of one length, there is none, or none is called ``key``.
    """

    def __init__(self, arrays: Mapping[str, Any], key: str | None = None) -> None:
        if not isinstance(arrays, Mapping) or not arrays or not all(isinstance(name, str) for name in arrays):
            example = '{"image": images, "label": labels}'
            raise ParameterError(f"{_WHERE}: arrays must be a mapping from names to arrays, such as {example}")
        if key is not None and key not in arrays:
            raise ParameterError(f"{_WHERE}: no column {key!r}{suggestion(key, arrays)}; there is: {listing(arrays)}")
        self.arrays = dict(arrays)
        self._key = key if key is not None else "key" if "key" in arrays else None
        self._count = _common_length(self.arrays)

    def __len__(self) -> int:
        """Return the number of samples."""
        return self._count

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key``, and the row of each column. Negative positions count from the end.

        Raises:
            IndexError: there is no such sample.
            FormatError: its key is neither text nor a whole number.
        """
        position = checked(index, self._count, _WHERE)
        row = {name: row_of(source, position) for name, source in self.arrays.items()}
        return {**row, "key": self.key(position)}

    def key(self, index: int) -> str:
        """Return the name of a sample; raises as :meth:`sample` does."""
        position = checked(index, self._count, _WHERE)
        if self._key is None:
            return str(position)
        name = row_of(self.arrays[self._key], position)
        if isinstance(name, bool) or not isinstance(name, (str, int)):
            raise FormatError(f"{_WHERE}: sample {position}: its key {printable(repr(name), 60)} is no text or number")
        return str(name)

    def rows(self, indices: Any) -> dict[str, Any]:
        """Return several samples at once: for each column an array ``(k, ...)``, or a list where that makes none.

        Args:
            indices: whole numbers ``(k,)`` in any order, of which negative ones count from the end, or a slice.

        Raises:
            IndexError: there is no such sample.
            ParameterError: they are not whole numbers.
        """
        positions = self._positions(indices)
        return {name: rows_of(source, positions) for name, source in self.arrays.items()}

    def close(self) -> None:
        """Nothing is open: what was passed in stays as it is."""

    def __getattr__(self, name: str) -> Any:
        """Return ``getitem_NAME`` and ``getall_NAME`` of a column."""
        how, _, column = name.partition("_")
        source = self.__dict__.get("arrays", {}).get(column)
        if source is None or how not in ("getitem", "getall"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return partial(all_of, source) if how == "getall" else partial(self._item, column)

    def _item(self, column: str, index: int, ctx: dict[str, Any] | None = None) -> Any:
        return row_of(self.arrays[column], checked(index, self._count, _WHERE))

    def _positions(self, indices: Any) -> NDArray[np.int64]:
        if isinstance(indices, slice):
            return np.arange(*indices.indices(self._count), dtype=np.int64)
        positions = np.asarray(indices)
        if positions.size == 0:
            return np.zeros(0, np.int64)
        if positions.ndim != 1 or positions.dtype.kind not in "iu":
            raise ParameterError(f"{_WHERE}: rows takes whole numbers, (k,), not {positions.dtype} {positions.shape}")
        for extreme in (positions.min(), positions.max()):
            checked(int(extreme), self._count, _WHERE)
        return positions.astype(np.int64) % self._count


def _common_length(arrays: Mapping[str, Any]) -> int:
    lengths = {}
    for name, source in arrays.items():
        if isinstance(source, (str, bytes, Mapping)) or not hasattr(source, "__getitem__"):
            raise ParameterError(f"{_WHERE}: column {name!r} is a {type(source).__name__}, not an array or list")
        try:
            lengths[name] = len(source)
        except TypeError:
            raise ParameterError(f"{_WHERE}: column {name!r} has no length, but rows are counted along it") from None
    shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    if lengths[shortest] != lengths[longest]:
        raise ParameterError(
            f"{_WHERE}: column {longest!r} has {lengths[longest]} rows, but {shortest!r} has {lengths[shortest]}"
        )
    return lengths[longest]
