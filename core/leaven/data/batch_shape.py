"""Batches in parts: tuples of arrays, which may be nested; a batch as a whole may be a list as well."""

from __future__ import annotations

from typing import Any


def length_of(batch: Any) -> int:
    """Return how many samples a batch has: the length of its first array."""
    part = _parts(batch)
    while isinstance(part, tuple) and part:
        part = part[0]
    return len(part)


def trimmed(batch: Any, length: int) -> Any:
    """Return the first ``length`` samples of a batch; lists of parts become tuples, and numbers stay as they are."""
    return _trimmed(_parts(batch), length)


def _parts(batch: Any) -> Any:
    """A list of indices is no list of parts: these have a length."""
    return tuple(batch) if isinstance(batch, list) and all(hasattr(part, "__len__") for part in batch) else batch


def _trimmed(part: Any, length: int) -> Any:
    if isinstance(part, tuple):
        parts = [_trimmed(inner, length) for inner in part]
        return part._make(parts) if hasattr(part, "_make") else tuple(parts)
    return part[:length] if hasattr(part, "__len__") else part
