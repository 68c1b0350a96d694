"""Classes: the samples of some classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.changed import hides, with_label
from leaven.data.getters import class_names, content, labels
from leaven.data.lazy import lazy
from leaven.data.view import Selection, checked
from leaven.errors import ParameterError
from leaven_plugins.datasets.classwise import counted_labels, label_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from leaven.protocols import Dataset


@dataclass(frozen=True, eq=False)
class Classes(Selection):
    """The samples of a dataset that are of some classes, in their order; as a call, ``classes(0, 'bee')``.

    Args:
        dataset: which samples it is of.
        keep: labels or names of the classes that are kept.
        drop: labels or names of those that are not; samples without a label (-1) stay.
        relabel: whether the classes that are left are counted anew from 0: in the order of ``keep``, or in that of
            their labels. Otherwise labels stay as they are.

    Raises:
        ParameterError: not exactly one of ``keep`` and ``drop``; at the first access, that no class has such a
            name or label.
    """

    rest = "keep"

    dataset: Dataset
    keep: Sequence[int | str] | None = None
    drop: Sequence[int | str] | None = None
    relabel: bool = False

    def __post_init__(self) -> None:
        if (self.keep is None) == (self.drop is None):
            raise ParameterError("classes: keep or drop: exactly one of them has to be given")
        for name in ("keep", "drop"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, str) or not isinstance(value, Iterable)):
                raise ParameterError(f"classes: {name}={value!r}: expected a list of labels or names")

    def chosen(self) -> NDArray[np.int64]:
        """Return the positions of the classes' samples, ascending."""
        return np.flatnonzero(np.isin(labels(self.dataset), self._asked, invert=self.keep is None))

    def sample(self, index: int) -> bytes | Mapping[str, Any]:
        """Return a sample, as a mapping where it is relabelled; raises as the dataset below does."""
        if not self.relabel:
            return super().sample(index)
        fields = content(self.dataset, self.position(index))
        return with_label(fields, self.new_labels.item(index), self.class_names)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of their labels here."""
        names = class_names(self.dataset)
        return tuple(names[label] for label in self._kept if label < len(names)) if self.relabel else names

    @lazy
    def new_labels(self) -> NDArray[np.int64]:
        """The labels, ``(n,)``."""
        found = labels(self.dataset)[self.positions]
        if self.relabel:
            order = np.argsort(self._kept)
            places = np.searchsorted(np.array(self._kept, np.int64)[order], found[found >= 0])
            found[found >= 0] = order[places]
        found.setflags(write=False)
        return found

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        """Return the label of a sample."""
        return self.new_labels.item(checked(index, len(self), self))

    def getall_label(self) -> NDArray[np.int64]:
        """Return all labels, ``(n,)``."""
        return self.new_labels

    def hides(self, part: str) -> bool:
        """Hide the labels below where they are other ones here."""
        return part == "_label" or hides(self.dataset, "label", part)

    @property
    def _asked(self) -> list[int]:
        asked = self.drop if self.keep is None else self.keep
        assert asked is not None
        return [label_of("classes", one, self.dataset) for one in asked]

    @property
    def _kept(self) -> list[int]:
        """The labels of the classes that are left, in the order in which they are counted anew."""
        if self.keep is not None:
            return [label for label in dict.fromkeys(self._asked) if label >= 0]
        _, count = counted_labels("classes", self.dataset)
        return sorted(set(range(count)).difference(self._asked))
