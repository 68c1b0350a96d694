"""Outputs: shared arrays that a task writes its results into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.stream.dtypes import sizes_of
from leaven.tasks.arrays import (
    array_from_plain,
    array_to_plain,
    fixed_dtype,
    shared_from_plain,
    shared_to_plain,
    shared_zeros,
)


class Output(NamedTuple):
    """One array, and what it holds before the function begins; ``None``: zeros."""

    array: NDArray[Any]
    start: NDArray[Any] | None

    def begin(self, again: bool) -> NDArray[Any]:
        """Return the array as the function is to find it, also where a worker that died has written into it."""
        if self.start is not None:
            self.array[...] = self.start
        elif again:
            self.array[...] = np.zeros((), self.array.dtype)
        return self.array

    def to_plain(self) -> list[Any]:
        """Return it for a worker's process; it is to live until the task is done."""
        return [shared_to_plain(self.array), None if self.start is None else array_to_plain(self.start)]

    @classmethod
    def from_plain(cls, plain: Sequence[Any]) -> Output:
        """Return the same array in a worker's process."""
        return cls(shared_from_plain(plain[0]), None if plain[1] is None else array_from_plain(plain[1]))


def outputs(specs: Sequence[Any]) -> list[Output]:
    """Return an output for each of ``specs``: ``(shape, dtype)``, or an array to start as a copy of.

    Raises:
        ParameterError: one is neither.
        WorkerError: there is not enough memory.
    """
    if isinstance(specs, np.ndarray) or not isinstance(specs, Sequence):
        raise ParameterError(f"out: expected a list of (shape, dtype) and arrays, got {type(specs).__name__}")
    return [_output(spec, f"out[{number}]") for number, spec in enumerate(specs)]


def _output(spec: Any, where: str) -> Output:
    if isinstance(spec, np.ndarray):
        return Output(shared_zeros(spec.shape, fixed_dtype(spec.dtype, where)), spec.copy())
    if not isinstance(spec, (tuple, list)) or len(spec) != 2:
        raise ParameterError(f"{where}: expected (shape, dtype) or an array, got {spec!r}")
    return Output(shared_zeros(sizes_of(spec[0], where), fixed_dtype(spec[1], where)), None)
