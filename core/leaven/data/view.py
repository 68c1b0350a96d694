"""Views: datasets that show another one in part, in another order, or changed."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from leaven.data.getters import class_names
from leaven.data.lazy import forget, lazy, state

if TYPE_CHECKING:
    from numpy.typing import NDArray

_T = TypeVar("_T")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NUMBERED = re.compile(r"#\d+\Z")


class View:
    """The base of views: every sample at its place, every getter handed on.

    A view is a frozen dataclass (``eq=False``) whose first field is ``dataset``. What it finds out is kept in lazy
    properties, which :meth:`close` drops, and which do not travel to other processes.
    """

    if TYPE_CHECKING:

        @property
        def dataset(self) -> Any:
            """The dataset below."""

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.dataset)

    def position(self, index: int) -> int:
        """Return which sample of the dataset below is shown at ``index``; negative ones count from the end.

        Raises:
            IndexError: there is no such sample.
        """
        return checked(index, len(self), self)

    def sample(self, index: int) -> bytes | Mapping[str, Any]:
        """Return a sample as the dataset below has it; raises as :meth:`position` and that do."""
        sample: bytes | Mapping[str, Any] = self.dataset.sample(self.position(index))
        return sample

    def key(self, index: int) -> str:
        """Return the unique name of a sample; raises as :meth:`sample` does."""
        return str(self.dataset.key(self.position(index)))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes in the order of their labels, or none where they are not known."""
        return class_names(self.dataset)

    def taken(self, values: Any) -> Any:
        """Return what belongs to this view's samples, from what belongs to those of the dataset below."""
        return values

    def close(self) -> None:
        """Close the dataset below, and forget what was found out; the next access opens it again."""
        forget(self)
        self.dataset.close()

    def __getstate__(self) -> dict[str, Any]:
        return state(self)

    def __getattr__(self, name: str) -> Any:
        """Hand on ``offset``, ``fused``, ``getitem_NAME`` and ``getall_NAME``, where the dataset below has them."""
        if name == "fused":
            return [group for group in self.dataset.fused if not self.hides("".join(group))]
        verb, _, part = name.partition("_")
        if name == "offset" or (verb == "getitem" and not self.hides(part)):
            return self._at_positions(getattr(self.dataset, name))
        if verb == "getall" and not self.hides(part):
            return self._of_all(getattr(self.dataset, name))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def hides(self, part: str) -> bool:
        """Return whether a part of samples is another one here, so that the getters below are not to be handed on."""
        return False

    def _at_positions(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def get(index: int, *ctx: Any, **named: Any) -> Any:
            return inner(self.position(index), *ctx, **named)

        return get

    def _of_all(self, inner: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: self.taken(inner())


class Selection(View):
    """The base of views that show samples of another dataset by a list of positions."""

    repeats: ClassVar[bool] = False
    """Whether a position may be listed several times."""

    def chosen(self) -> NDArray[np.int64]:
        """Return the positions in the dataset below, int64 ``(n,)``; called once."""
        raise NotImplementedError

    @lazy
    def positions(self) -> NDArray[np.int64]:
        """The positions in the dataset below, int64 ``(n,)``."""
        return self.chosen()

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.positions)

    def position(self, index: int) -> int:
        """Return which sample of the dataset below is shown at ``index``; raises as for :class:`View`."""
        try:
            return self.positions.item(index)  # 0.1 us: this is done for every sample
        except (IndexError, OverflowError):
            return checked(index, len(self), self)

    def key(self, index: int) -> str:
        """Return the name of a sample, followed by ``#2`` where it is shown for the second time."""
        key = super().key(index)
        return key if self._turns is None else numbered(key, self._turns.item(index))

    def taken(self, values: Any) -> Any:
        """Return the values at the positions: an array of an array, a list of a list."""
        if isinstance(values, np.ndarray):
            return values[self.positions]
        return [values[index] for index in self.positions.tolist()]

    @lazy
    def _turns(self) -> NDArray[np.int64] | None:
        """How many times each sample has been shown, itself included; ``None`` where each is shown once."""
        if not self.repeats:
            return None
        turns = occurrences(self.positions) + 1
        return turns if turns.max(initial=1) > 1 else None


def occurrences(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return how often each value occurs before its place: ``[5, 7, 5]`` gives ``[0, 0, 1]``."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.ones(len(values), bool)
    first[1:] = ordered[1:] != ordered[:-1]
    ranks = np.arange(len(values))
    found = np.empty(len(values), np.int64)
    found[order] = ranks - np.maximum.accumulate(np.where(first, ranks, 0))
    return found


def numbered(key: str, turn: int) -> str:
    """Return a key for the ``turn``-th time that it is shown, counted from 1.

    Two different pairs never give the same, so that views of views keep their keys apart: one that ends like a number
    of this kind gets another, even the first time.
    """
    return f"{key}#{turn}" if turn > 1 or _NUMBERED.search(key) else key


def checked(index: int, count: int, dataset: Any) -> int:
    """Return a position from 0 on.

    Raises:
        IndexError: there is no such sample; the text has the dataset and its length.
    """
    position = operator.index(index)
    if not -count <= position < count:
        raise IndexError(f"{title(dataset)}: no sample {position}, there are {count}")
    return position % count


def layers(dataset: Any) -> list[Any]:
    """Return a dataset with all those below it, from the outermost to the one that is over no other."""
    found = [dataset]
    while (inner := vars(found[-1]).get("dataset") if hasattr(found[-1], "__dict__") else None) is not None:
        found.append(inner)
    return found


def root(dataset: Any) -> Any:
    """Return the dataset below all views."""
    return layers(dataset)[-1]


def layers_of(dataset: Any, kind: type[_T]) -> list[_T]:
    """Return those of :func:`layers` that are of a type."""
    return [layer for layer in layers(dataset) if isinstance(layer, kind)]


def title(dataset: Any) -> str:
    """Return what errors call a dataset: ``percent of shuffle of photos.msgpack``."""
    *views, last = layers(dataset)
    names = [_WORDS.sub("_", type(view).__name__).lower() for view in views]
    return " of ".join([*names, str(getattr(last, "path", type(last).__name__))])
