"""Classwise: the positions of each class's samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import class_names, labels
from leaven.errors import ParameterError, listing, suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray


def by_class(dataset: Any) -> dict[int, NDArray[np.int64]]:
    """Return for each class that occurs, in the order of labels, the positions of its samples, ascending.

    Samples without a label (-1) belong to no class.
    """
    found = labels(dataset)
    order = np.argsort(found, kind="stable")
    classes, starts = np.unique(found[order], return_index=True)
    parts = np.split(order, starts[1:])
    return {int(label): part for label, part in zip(classes, parts, strict=False) if label >= 0}


def joined(parts: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return positions in a row, also those of no part at all."""
    return np.concatenate([np.zeros(0, np.int64), *parts])


def label_of(component: str, asked: int | str, dataset: Any) -> int:
    """Return the label of a class that is asked for by label or name.

    Raises:
        ParameterError: no class has this name; or it is neither a name nor a whole number.
    """
    if isinstance(asked, int) and not isinstance(asked, bool):
        return asked
    if not isinstance(asked, str):
        raise ParameterError(f"{component}: {asked!r}: expected a label or the name of a class")
    names = class_names(dataset)
    if asked in names:
        return names.index(asked)
    known = f"classes: {listing(names)}" if names else "the dataset has no class names; ask by label"
    raise ParameterError(f"{component}: no class {asked!r}{suggestion(asked, names)}; {known}")
