"""The classes of a dataset's samples, as samplers need them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from leaven.data.getters import labels
from leaven.errors import ParameterError
from leaven_plugins.samplers.checks import check_readable


def labels_of(sampler: str, dataset: Any) -> NDArray[np.int64]:
    """Return the labels of a dataset's samples, ``(n,)``; those below 0 say that there is none.

    Raises:
        ParameterError: the dataset knows no labels, or they are not whole numbers.
        SampleError: a sample has none.
    """
    check_readable(sampler, dataset, "label")
    return labels(dataset)


def check_labelled(sampler: str, found: NDArray[np.int64]) -> None:
    """Raise a ``ParameterError`` where a sample has no class."""
    (without,) = np.nonzero(found < 0)
    if len(without):
        raise ParameterError(
            f"{sampler}: sample {without[0]} has label {found[without[0]]}, and {len(without)} samples in all have one "
            "below 0, which is no class; leave them out"
        )


class Members(NamedTuple):
    """The samples of each class that occurs.

    ``positions`` has those of the first class, then those of the next, ``counts`` how many each has, and ``starts``
    where they begin.
    """

    positions: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]


def members_of(found: NDArray[np.int64]) -> Members:
    """Return the samples of each class, in the order of the classes and of the dataset."""
    positions = np.argsort(found, kind="stable")
    _, starts, counts = np.unique(found[positions], return_index=True, return_counts=True)
    return Members(positions, starts, counts)
