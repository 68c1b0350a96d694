"""A copy of a dataset without the samples that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.errors import DatasetError
from leaven.stream.wire import key_of, unpack_sample
from leaven_plugins.commands.data.problems import below

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven.registry.opening import Writer

_Keyed = tuple[str, bytes | Mapping[Any, Any]]


class Repaired(NamedTuple):
    """The copy at ``path``: how many ``samples`` it has, and how many were ``left_out``."""

    path: Path
    samples: int
    left_out: int


def write_repaired(
    dataset: Dataset, unusable: Collection[int], path: Path, writer: Writer, advance: Callable[[], None]
) -> Repaired:
    """Write the samples that are not ``unusable`` to ``path``, with an index and checksums of their own.

    Of samples with the same key the first one stays. ``advance`` is called after each sample.

    Raises:
        DatasetError: the copy cannot be written.
    """
    count = writer.write(path, _usable(dataset, unusable, advance))
    return Repaired(path, count, len(dataset) - count)


def _usable(
    dataset: Dataset, unusable: Collection[int], advance: Callable[[], None]
) -> Iterator[bytes | Mapping[Any, Any]]:
    known: set[str] = set()
    keyed = _named_by_view if below(dataset) else _named_by_itself
    for index in range(len(dataset)):
        if index not in unusable:
            key, sample = keyed(dataset, index)
            if key not in known:
                known.add(key)
                yield sample
        advance()


def _named_by_itself(dataset: Dataset, index: int) -> _Keyed:
    """Return a sample with its own key: that of the index may be wrong."""
    sample = dataset.sample(index)
    if isinstance(sample, bytes):
        return key_of(sample), sample
    key = str(sample["key"]) if "key" in sample else dataset.key(index)
    return key, {"key": key, **sample}


def _named_by_view(dataset: Dataset, index: int) -> _Keyed:
    """Return a sample with the key that a view has for it, where it may be shown several times."""
    own, sample = _named_by_itself(dataset, index)
    try:
        key = dataset.key(index)
    except DatasetError:
        return own, sample
    if key == own:
        return own, sample
    fields = unpack_sample(sample) if isinstance(sample, bytes) else sample
    return key, {**fields, "key": key}
