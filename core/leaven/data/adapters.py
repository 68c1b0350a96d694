"""Items: a sequence of tuples, such as torch's datasets are, as a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from leaven.data.getters import names_of
from leaven.data.view import checked
from leaven.errors import ParameterError, SampleError, listing, suggestion

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Items:
    """Anything with a length and positions as a dataset: torch's map style datasets, lists of tuples.

    Keys are positions, as text. Class names are those of an attribute ``classes``, where there is one; labels are read
    without images from an attribute ``targets``, as torchvision's datasets have it.

    Args:
        items: has ``len``, and gives a tuple with a value for each of ``fields``, a mapping that has these, or, where
            there is one field, its value.
        fields: the names of the parts.

    Raises:
        ParameterError: ``items`` has no length and positions, or names are not all different.
    """

    items: Any
    fields: Sequence[str] = ("image", "label")

    def __post_init__(self) -> None:
        if not hasattr(self.items, "__len__") or not hasattr(self.items, "__getitem__"):
            raise ParameterError(f"a {type(self.items).__name__} has no length and positions; expected a sequence")
        if isinstance(self.fields, str) or not self.fields or len(set(self.fields)) != len(self.fields):
            raise ParameterError(f"fields={self.fields!r}: expected a list of different names")

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.items)

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample: ``key``, and the fields; tensors and PIL images as numpy arrays.

        Raises:
            IndexError: there is no such item; negative positions count from the end.
            SampleError: an item is not what ``fields`` says.
        """
        position = checked(index, len(self), self)
        return {"key": str(position), **{name: _plain(value) for name, value in self._values(position).items()}}

    def key(self, index: int) -> str:
        """Return the position as text; raises as :meth:`sample` does."""
        return str(checked(index, len(self), self))

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, or none."""
        return tuple(map(str, getattr(self.items, "classes", None) or ()))

    def close(self) -> None:
        """Do nothing: the items are not ours to close."""

    def __getattr__(self, name: str) -> Any:
        """Have a getter for each field, with values as the items have them; and all labels where these are known."""
        verb, _, part = name.partition("_")
        if verb == "getitem" and part in self.fields:
            return lambda index, ctx=None: self._values(checked(index, len(self), self))[part]
        labelled = verb == "getall" and part in names_of("label") and part in self.fields
        if labelled and (targets := self._targets()) is not None:
            return lambda: targets
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _targets(self) -> NDArray[Any] | None:
        """Return the items' ``targets``, where nothing changes them before they are given out."""
        targets = getattr(self.items, "targets", None)
        if targets is None or getattr(self.items, "target_transform", None) is not None:
            return None
        return np.asarray(targets) if len(targets) == len(self) else None

    def _values(self, position: int) -> dict[str, Any]:
        item = self.items[position]
        if isinstance(item, Mapping):
            return {name: self._of_mapping(item, name, position) for name in self.fields}
        values = item if isinstance(item, (tuple, list)) and len(self.fields) > 1 else (item,)
        if len(values) != len(self.fields):
            text = f"{len(values)} values, but fields names {len(self.fields)}: {', '.join(self.fields)}"
            raise SampleError(text, index=position, stage="read")
        return dict(zip(self.fields, values, strict=True))

    def _of_mapping(self, item: Mapping[Any, Any], name: str, position: int) -> Any:
        if name not in item:
            there = f"{suggestion(name, map(str, item))}; it has: {listing(map(str, item))}"
            raise SampleError(f"no field {name!r}{there}", index=position, stage="read")
        return item[name]


def _plain(value: Any) -> Any:
    """Return a tensor or a PIL image as an array, and a number of numpy or torch as one of Python."""
    if isinstance(value, np.ndarray) or not (hasattr(value, "__array__") or hasattr(value, "__array_interface__")):
        return value
    found = np.asarray(value)
    return found if found.ndim else found.item()
