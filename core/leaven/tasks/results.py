"""Results of a function that is run again and again: arrays that keep shape and dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from leaven.errors import ParameterError
from leaven.stream.arena import Layout
from leaven.stream.buffers import BufferSpec
from leaven.stream.dtypes import dtype_from_plain, dtype_to_plain, sizes_of
from leaven.tasks.arrays import fixed_dtype


def results_of(returned: Any) -> list[NDArray[Any]]:
    """Return what a function returned as arrays: those of a tuple or list but ``None``, or the one that it is."""
    parts = returned if isinstance(returned, (tuple, list)) else (returned,)
    return [np.asarray(part) for part in parts if part is not None]


def declared(dtypes: Any, shapes: Any) -> list[BufferSpec]:
    """Return what results are to be like: lists of dtypes and shapes, or one of each for a single result.

    Raises:
        ParameterError: they do not go together, there are none, or one is no dtype or no shape.
    """
    if not isinstance(dtypes, (list, tuple)):
        dtypes, shapes = [dtypes], [shapes]
    if not isinstance(shapes, (list, tuple)) or len(dtypes) != len(shapes) or not dtypes:
        raise ParameterError(f"dtypes={dtypes!r}, shapes={shapes!r}: expected a dtype and a shape for each result")
    return [
        BufferSpec(sizes_of(shape, f"shapes[{number}]"), fixed_dtype(dtype, f"dtypes[{number}]"), None)
        for number, (dtype, shape) in enumerate(zip(dtypes, shapes, strict=True))
    ]


def shown(results: Sequence[NDArray[Any]], name: str) -> list[BufferSpec]:
    """Return what results are like.

    Args:
        results: of one call.
        name: of the function.

    Raises:
        ParameterError: there are none, or one is of a dtype without a fixed size.
    """
    if not results:
        raise ParameterError(f"{name} returned no array: there is nothing to prepare")
    return [
        BufferSpec(result.shape, fixed_dtype(result.dtype, f"result {number} of {name}"), None)
        for number, result in enumerate(results)
    ]


def layout_of(specs: Sequence[BufferSpec]) -> Layout:
    """Return where the results of one run lie."""
    return Layout.of({str(number): spec for number, spec in enumerate(specs)}, 1)


def layout_to_plain(layout: Layout) -> list[Any]:
    """Return the layout as plain data."""
    return [[list(spec.shape), dtype_to_plain(spec.dtype)] for _, spec in layout.fields.values()]


def layout_from_plain(plain: Sequence[Any]) -> Layout:
    """Return the same layout in another process."""
    return layout_of([BufferSpec(tuple(shape), dtype_from_plain(dtype), None) for shape, dtype in plain])
