"""What may stand for a source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from leaven.data.array_source import ArraySource
from leaven.data.sources import Source
from leaven.data.stream_sources import CallableSource, IteratorSource
from leaven.errors import ParameterError


def source_of(data: Any) -> Source:
    """Return the source that is meant by a source, arrays in a list or tuple, an iterator over batches, or a function.

    Raises:
        ParameterError: it is none of these, or there are no arrays.
    """
    if hasattr(data, "batch_iterator"):
        return cast(Source, data)  # or one of the user's own
    if isinstance(data, (list, tuple)):
        return ArraySource(data)
    if isinstance(data, Iterator):
        return IteratorSource(data)
    if callable(data):
        return CallableSource(data)
    raise ParameterError(
        f"a {type(data).__name__} is no source of batches: expected a source, a list of arrays, an iterator, or a "
        "function that returns one"
    )


def count_of(source: Source) -> float | None:
    """Return how many samples a source has, ``None`` where it does not tell."""
    return source.num_samples() if hasattr(source, "num_samples") else None
