"""Values of a Parquet file as fields of samples, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from leaven.errors import FormatError, printable
from leaven_plugins.datasets.npy import decode_npy, encode_npy

ARRAYS = {b"leaven": b"npy"}
"""What marks a column whose bytes are arrays."""

_PLAIN = (bytes, str, bool, int, float)


def reader_of(field: Any) -> Callable[[Any], Any]:
    """Return what makes a plain value of what pyarrow gives for one column.

    Bytes, text and numbers are as they are, lists and maps plain; dates and decimals text. The ``{bytes, path}`` of
    Hugging Face is its bytes.
    """
    if ARRAYS.items() <= (field.metadata or {}).items():
        return _array
    is_struct = str(field.type).startswith("struct")
    names = {field.type.field(n).name for n in range(field.type.num_fields)} if is_struct else set()
    return _file if names == {"bytes", "path"} else _plain


def class_names_of(schema: Any, column: str) -> tuple[str, ...]:
    """Return the names of classes that Hugging Face keeps beside the columns, or none."""
    try:
        about = json.loads((schema.metadata or {})[b"huggingface"])
        names = about["info"]["features"][column]["names"]
    except Exception:  # whatever else may be there
        return ()
    return tuple(names) if isinstance(names, list) and all(isinstance(name, str) for name in names) else ()


def to_column(value: Any) -> Any:
    """Return what pyarrow is given for a field: arrays as bytes, numpy's scalars as numbers of Python.

    Raises:
        FormatError: no column holds it.
    """
    if isinstance(value, np.ndarray):
        return encode_npy(value)
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    plain = value.item() if isinstance(value, np.generic) else value
    if plain is None or isinstance(plain, _PLAIN):
        return plain
    if isinstance(plain, (list, tuple)) and not any(isinstance(part, np.ndarray) for part in plain):
        return [to_column(part) for part in plain]
    raise FormatError(f"{type(value).__name__} {printable(repr(value), 60)} cannot be in a column")


def leaf_types(value: Any) -> set[type]:
    """Return the types that the value of a column consists of.

    They are the same in all rows, or else pyarrow would make all of them one type without a word.
    """
    if isinstance(value, list):
        return set[type]().union(*map(leaf_types, value))
    return set() if value is None else {type(value)}


def _array(value: bytes | None) -> Any:
    return None if value is None else decode_npy(value)


def _file(value: Mapping[str, Any] | None) -> bytes | None:
    if value is None:
        return None
    content = value["bytes"]
    if not isinstance(content, bytes):
        raise FormatError(f"the file {printable(repr(value['path']), 100)} lies elsewhere: only its name is kept")
    return content


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, _PLAIN) else str(value)
