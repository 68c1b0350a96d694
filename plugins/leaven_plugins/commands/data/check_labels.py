"""Labels: whole numbers of the classes that there are, and all samples have one or none has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from leaven.errors import printable
from leaven_plugins.commands.data.checks import Seen, about
from leaven_plugins.datasets.findings import Finding

_ADVICE = "correct the label, or leave the sample out (--repair)"


class LabelCheck:
    """Checks the field ``label``.

    Args:
        classes: how many there are, or ``None`` where that is not known: labels may then be anything but integers
            below -1. The label -1 stands for none.
        names: those of the classes, which may stand for the labels.
    """

    def __init__(self, classes: int | None, names: Sequence[str] = ()) -> None:
        self._classes = classes
        self._names = frozenset(names)
        self._labelled = 0
        self._without: list[Seen] = []

    def look(self, sample: Seen) -> Iterator[Finding]:
        """Return what is wrong with its label."""
        label = sample.fields.get("label")
        if label is None:
            self._without.append(sample.without_fields())
            return
        self._labelled += 1
        wrong = self._wrong(label)
        if wrong:
            yield about(sample, "label", wrong, _ADVICE)

    def rest(self) -> Iterator[Finding]:
        """Return the samples without a label, where others have one."""
        if self._labelled:
            text = f"has no label, where {self._labelled:,} other samples have one"
            yield from (about(sample, "label", text, _ADVICE) for sample in self._without)

    def _wrong(self, label: Any) -> str | None:
        values = _integers(label)
        if values is not None:
            return next(filter(None, map(self._out_of_range, values)), None)
        if self._classes is None or self._is_name(label) or self._is_vector(label):
            return None
        shown = printable(repr(label), 60)
        return f"label {shown} is {type(label).__name__}, not a whole number{self._range()}"

    def _out_of_range(self, label: int) -> str | None:
        if label == -1 or (label >= 0 and (self._classes is None or label < self._classes)):
            return None
        return f"label {label} is not{self._range() or ' from 0 on'}"

    def _range(self) -> str:
        return "" if self._classes is None else f" from 0 to {self._classes - 1}"

    def _is_name(self, label: Any) -> bool:
        return isinstance(label, str) and label in self._names

    def _is_vector(self, label: Any) -> bool:
        """Return whether a label has a number for each class, such as one of two mixed images."""
        return isinstance(label, (list, tuple, np.ndarray)) and np.shape(label)[-1:] == (self._classes,)


def _integers(label: Any) -> list[int] | None:
    """Return the integers that a label is, or a list of; ``None`` where it is something else."""
    if isinstance(label, (int, np.integer, np.bool_)):
        return [int(label)]
    if isinstance(label, np.ndarray) and label.dtype.kind in "iu":
        return [int(value) for value in np.unique(label)]
    if isinstance(label, (list, tuple)) and label and all(type(value) is int for value in label):
        return list(label)
    return None
