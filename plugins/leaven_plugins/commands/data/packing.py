"""The samples of a dataset as they are to be packed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from leaven_plugins.commands.data.reading import read_sample

if TYPE_CHECKING:
    from leaven.protocols import Dataset

Change = Callable[[Mapping[Any, Any], int], Mapping[Any, Any]]


def samples_of(dataset: Dataset, change: Change | None, advance: Callable[[], None]) -> Iterator[Mapping[Any, Any]]:
    """Yield all samples, with their keys, after ``change(sample, index)``; call ``advance`` after each.

    Raises:
        DatasetError: the dataset cannot be opened.
        SampleError: a sample cannot be read, or ``change`` refuses it.
    """
    for index in range(len(dataset)):
        fields, packed, _ = read_sample(dataset, index)
        if not packed:
            fields.pop("path", None)  # where a file lay on this machine is of no use elsewhere
        sample = {"key": dataset.key(index), **fields}
        yield sample if change is None else change(sample, index)
        advance()
