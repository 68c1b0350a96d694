"""Samples as those who write are given them: mappings, or packed messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leaven.errors import FormatError, printable
from leaven.stream.wire import unpack_sample


def unpacked(sample: Mapping[Any, Any] | bytes) -> Mapping[Any, Any]:
    """Return the fields of a sample.

    Raises:
        FormatError: it is neither a mapping nor a packed one.
    """
    if isinstance(sample, bytes):
        return unpack_sample(sample)
    if not isinstance(sample, Mapping):
        kind = type(sample).__name__
        raise FormatError(f"is {kind} {printable(repr(sample), 60)} instead of a mapping or the bytes of a packed one")
    return sample
