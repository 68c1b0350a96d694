"""Padding: sequences of different lengths as one array, with a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import LeavenError, ParameterError, listing, suggestion
from leaven_plugins.collators.validity import valid_rows

Valid = NDArray[np.bool_] | None


@dataclass(frozen=True)
class Padding:
    """Makes one array of a list of sequences, by filling up the short ones at their ends.

    A list of ``rows`` arrays ``(length, ...)`` becomes one array ``(rows, longest, ...)``. Beside ``key`` there is
    then ``key_mask``, bool ``(rows, longest)``, which is true where there was something. Rows that hold no sample count
    as empty sequences.

    Args:
        keys: lists to pad; by default all lists whose entries are arrays of at least one axis.
        value: what to fill up with.
        multiple: the common length is made a multiple of this.
        mask: whether to add the mask.

    Raises:
        ParameterError: a value is not what it has to be.
    """

    keys: Sequence[str] | None = None
    value: float = 0
    multiple: int = 1
    mask: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.keys, str):
            raise ParameterError(f"keys is {self.keys!r}; it has to be a list of names")
        if self.multiple < 1:
            raise ParameterError(f"multiple is {self.multiple}; it has to be positive")

    def collate(self, batch: dict[str, Any], random: np.random.Generator) -> dict[str, Any]:
        """Return the batch with arrays in place of lists; ``random`` is not used.

        Raises:
            LeavenError: there is no such list, its entries are not arrays that agree in all axes but the first, or
                ``value`` does not fit their dtype.
        """
        valid = valid_rows(batch)
        if valid is not None and not valid.any():
            return batch
        keys = [key for key, values in batch.items() if _is_ragged(values, valid)] if self.keys is None else self.keys
        padded = dict(batch)
        for key in keys:
            sequences = _sequences(batch, key, valid)
            padded[key] = self._padded(sequences, key)
            if self.mask:
                lengths = np.array([len(sequence) for sequence in sequences])
                padded[f"{key}_mask"] = np.arange(padded[key].shape[1]) < lengths[:, None]
        return padded

    def _padded(self, sequences: Sequence[NDArray[Any]], key: str) -> NDArray[Any]:
        longest = max(len(sequence) for sequence in sequences)
        length = -(-longest // self.multiple) * self.multiple
        dtype = np.result_type(*sequences)
        try:
            padded = np.full((len(sequences), length, *sequences[0].shape[1:]), self.value, dtype)
        except OverflowError as error:
            raise LeavenError(f"padding: value {self.value} does not fit {key!r}, which is {dtype}") from error
        for row, sequence in zip(padded, sequences, strict=True):
            row[: len(sequence)] = sequence
        return padded


def _is_ragged(values: Any, valid: Valid) -> bool:
    if not isinstance(values, list):
        return False
    held = (values[row] for row in _held(values, valid))
    return all(isinstance(value, np.ndarray) and value.ndim for value in held)


def _held(values: Sequence[Any], valid: Valid) -> Sequence[int]:
    """Return which entries are those of a sample."""
    if valid is None or len(valid) != len(values):
        return range(len(values))
    rows: list[int] = np.flatnonzero(valid).tolist()
    return rows


def _sequences(batch: Mapping[str, Any], key: str, valid: Valid) -> list[NDArray[Any]]:
    """Return the entries as arrays, with empty ones in the rows that hold no sample."""
    if key not in batch:
        hint = suggestion(key, batch) or f"; the batch has: {listing(batch)}"
        raise LeavenError(f"padding: no {key!r}{hint}")
    rows = _held(batch[key], valid)
    found = {row: _array(batch[key][row], key, row) for row in rows}
    first = found[rows[0]]
    for row, sequence in found.items():
        if sequence.shape[1:] != first.shape[1:]:
            shapes = f"{sequence.shape} in row {row}, and {first.shape} in row {rows[0]}"
            raise LeavenError(f"padding: {key!r} has shapes {shapes}: they may differ in the first axis only")
    return [found.get(row, first[:0]) for row in range(len(batch[key]))]


def _array(value: Any, key: str, row: int) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths within a list
        array = np.empty(())
    if array.ndim < 1 or array.dtype.kind not in "biufc":
        raise LeavenError(f"padding: {key!r} in row {row} is not a sequence of numbers")
    return array
