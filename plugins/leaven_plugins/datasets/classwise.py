"""Classwise: the positions of each class's samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import class_names, labels
from leaven.data.view import title
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


def counted_labels(component: str, dataset: Any) -> tuple[NDArray[np.int64], int]:
    """Return all labels, ``(n,)``, those below -1 as -1, and the number of classes, which is above each of them.

    Raises:
        ParameterError: there are names for some of the classes only.
    """
    found = labels(dataset)
    names, count = class_names(dataset), int(found.max(initial=-1)) + 1
    if names and count > len(names):
        sample = int(found.argmax())
        raise ParameterError(
            f"{component}: sample {sample} of {title(dataset)} has label {count - 1}, but there are names for "
            f"{len(names)} classes: {listing(names)}"
        )
    return np.maximum(found, -1), len(names) or count


def label_of(component: str, asked: Any, dataset: Any) -> int:
    """Return the label of a class that is asked for by label or name.

    Raises:
        ParameterError: no class has this name or label; or it is neither a name nor a whole number.
    """
    names = class_names(dataset)
    if isinstance(asked, (int, np.integer)) and not isinstance(asked, bool):
        if names and asked >= len(names):
            raise ParameterError(f"{component}: no class {asked}; there are {len(names)}: {listing(names)}")
        return int(asked)
    if not isinstance(asked, str):
        raise ParameterError(f"{component}: {asked!r}: expected a label or the name of a class")
    if asked in names:
        return names.index(asked)
    known = f"classes: {listing(names)}" if names else "the dataset has no class names; ask by label"
    raise ParameterError(f"{component}: no class {asked!r}{suggestion(asked, names)}; {known}")
