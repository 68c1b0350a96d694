"""Opening a dataset to look at it: with its format by name, and views over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from leaven.protocols import Dataset
    from leaven.registry.registry import Registry


class Opened(NamedTuple):
    """A ``dataset`` with the views, and the ``format`` and parameters of what they are over."""

    dataset: Dataset
    format: str
    params: Mapping[str, Any]


@contextmanager
def opened(registry: Registry, what: str, views: Sequence[str]) -> Iterator[Opened]:
    """Context with a dataset, which is closed afterwards; arguments and errors as for ``leaven.open``."""
    from leaven.registry.opening import locate, open_dataset

    located = locate(what, registry)
    with closing(open_dataset(what, registry, views=views)) as dataset:
        yield Opened(dataset, located.offer.name, located.params)
