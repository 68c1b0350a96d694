"""Getters: parts of a sample by name, each read as cheaply as the dataset can.

A dataset defines ``getitem_NAME(index, ctx=None)`` for the parts that it can read alone, and ``getall_NAME()`` where it
has them all at once. Other names are fields of the sample. ``x`` is another name for ``image``, ``y`` and ``class`` for
``label``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.errors import ParameterError, SampleError, listing, suggestion
from leaven.stream.wire import unpack_sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

Getter = Callable[[int, dict[str, Any] | None], Any]
"""What returns a part of the sample at an index (``0 <= index < len``), given the context or ``None``."""

_ALIASES = {"x": ("image",), "image": ("x",), "y": ("label", "class"), "class": ("label", "y"), "label": ("y", "class")}


def names_of(name: str) -> tuple[str, ...]:
    """Return a name with the other names of the same part: ``class`` with ``label`` and ``y``."""
    return (name, *_ALIASES.get(name, ()))


def getitem(dataset: Any, name: str, index: int, ctx: dict[str, Any] | None = None) -> Any:
    """Return one part of one sample; see :func:`getter`."""
    return getter(dataset, name)(index, ctx)


def getter(dataset: Any, name: str) -> Getter:
    """Return what reads the part ``name`` of samples: the dataset's own getter, or else a look into the whole sample.

    Reading it that way raises a :class:`~leaven.errors.SampleError` for a sample that has no such part.
    """
    for known in names_of(name):
        own: Getter | None = getattr(dataset, f"getitem_{known}", None)
        if own is not None:
            return own

    def look(index: int, ctx: dict[str, Any] | None = None) -> Any:
        return field(content(dataset, index), name, index)

    return look


def has_getter(dataset: Any, name: str) -> bool:
    """Return whether the dataset can read the part ``name`` alone."""
    return any(hasattr(dataset, f"getitem_{known}") for known in names_of(name))


def has_all(dataset: Any, name: str) -> bool:
    """Return whether the dataset has the part ``name`` of all samples at once."""
    return any(hasattr(dataset, f"getall_{known}") for known in names_of(name))


def getall(dataset: Any, name: str) -> Any:
    """Return the part ``name`` of all samples: an array where the dataset has one, else a list."""
    for known in names_of(name):
        own = getattr(dataset, f"getall_{known}", None)
        if own is not None:
            return own()
    get = getter(dataset, name)
    return [get(index, None) for index in range(len(dataset))]


def labels(dataset: Any, name: str = "label") -> NDArray[np.int64]:
    """Return the labels of all samples, ``(n,)``.

    Raises:
        ParameterError: they are not whole numbers, or not below 2**63.
        SampleError: a sample has none.
    """
    values = getall(dataset, name)
    if not len(dataset):
        return np.zeros(0, np.int64)
    try:
        found = np.asarray(values)
    except ValueError:  # lists of different lengths
        found = np.empty((len(values), 0), object)
    if found.ndim != 1 or found.dtype.kind not in "iub" or (found.dtype == np.uint64 and found.max() >> 63):
        raise ParameterError(f"{name!r} is no label: expected one whole number for each sample, got {found.dtype}")
    return found.astype(np.int64)


def class_names(dataset: Any) -> tuple[str, ...]:
    """Return the names of the classes in the order of their labels, or none where the dataset does not tell."""
    names = getattr(dataset, "class_names", None)
    if names is None:
        names = getattr(dataset, "classes", None)
    return () if names is None or isinstance(names, int) else tuple(map(str, names))  # an int tells how many there are


def class_count(dataset: Any) -> int:
    """Return the number of classes: as many as have names, or else one more than the highest label."""
    return len(class_names(dataset)) or int(labels(dataset).max(initial=-1)) + 1


def content(dataset: Any, index: int) -> dict[Any, Any]:
    """Return a whole sample as a mapping."""
    sample = dataset.sample(index)
    return dict(sample) if isinstance(sample, Mapping) else unpack_sample(sample)


def field(sample: Mapping[Any, Any], name: str, index: int) -> Any:
    """Return a field of a sample by its name, or the other names of the same."""
    for known in names_of(name):
        if known in sample:
            return sample[known]
    key = str(sample.get("key", ""))
    hint = suggestion(name, map(str, sample)) or f"; it has: {listing(map(str, sample))}"
    raise SampleError(f"no field {name!r}{hint}", index=index, key=key, stage="read")
