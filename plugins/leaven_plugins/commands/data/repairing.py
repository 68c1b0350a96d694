"""A copy of a dataset without the samples that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from leaven.stream.wire import key_of

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven.registry.opening import Writer


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
    for index in range(len(dataset)):
        if index not in unusable:
            sample = dataset.sample(index)
            key = _key(dataset, index, sample)
            if key not in known:
                known.add(key)
                yield sample if isinstance(sample, bytes) else {"key": key, **sample}
        advance()


def _key(dataset: Dataset, index: int, sample: bytes | Mapping[Any, Any]) -> str:
    if isinstance(sample, bytes):
        return key_of(sample)
    return str(sample["key"]) if "key" in sample else dataset.key(index)
