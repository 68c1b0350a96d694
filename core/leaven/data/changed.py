"""Changed: views in which one part of samples is another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from leaven.data.getters import content, getter, names_of
from leaven.data.lazy import lazy
from leaven.data.view import View
from leaven.errors import SampleError, listing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Changed(View):
    """The base of views that change one part of each sample, and leave the others as they are."""

    @property
    def part(self) -> str:
        """The name of the part."""
        raise NotImplementedError

    def change(self, value: Any, position: int, ctx: dict[str, Any] | None) -> Any:
        """Return the new value for that of the sample at ``position`` (``0 <= position < len``)."""
        raise NotImplementedError

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample as a mapping, with the new value in it.

        Raises:
            SampleError: it does not have this part.
        """
        position = self.position(index)
        fields = content(self.dataset, position)
        name = next((name for name in names_of(self.part) if name in fields), None)
        if name is None:
            there = listing(map(str, fields))
            raise SampleError(f"no field {self.part!r}; it has: {there}", index=position, stage="read")
        return {**fields, name: self.change(fields[name], position, None)}

    def __getattr__(self, name: str) -> Any:
        """Add the getter of the part to those that are handed on."""
        if name.startswith("getitem_") and name[8:] in names_of(self.part):
            return self._changed
        return super().__getattr__(name)

    def hides(self, part: str) -> bool:
        """Hide the part, and what is read together with it."""
        return hides(self.dataset, self.part, part)

    def _changed(self, index: int, ctx: dict[str, Any] | None = None) -> Any:
        position = self.position(index)
        return self.change(getter(self.dataset, self.part)(position, ctx), position, ctx)


class Relabelled(View):
    """The base of views in which samples have other labels: a pure function of all labels below."""

    def relabelled(self) -> NDArray[np.int64]:
        """Return the new labels, ``(n,)``, -1 for none; called once."""
        raise NotImplementedError

    @lazy
    def new_labels(self) -> NDArray[np.int64]:
        """The labels, ``(n,)``; not to be written to."""
        found = self.relabelled()
        found.setflags(write=False)
        return found

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample as a mapping with its new ``label``, and with its ``_label`` if it had one."""
        position = self.position(index)
        return with_label(content(self.dataset, position), self.new_labels.item(position), self.class_names)

    def getitem_label(self, index: int, ctx: dict[str, Any] | None = None) -> int:
        """Return the label of a sample; raises as :meth:`position` does."""
        return int(self.new_labels[self.position(index)])

    def getall_label(self) -> NDArray[np.int64]:
        """Return all labels, ``(n,)``."""
        return self.new_labels

    def hides(self, part: str) -> bool:
        """Hide the labels below, the names of their classes, and what is read together with them."""
        return part == "_label" or hides(self.dataset, "label", part)


def with_label(fields: Mapping[str, Any], label: int, names: tuple[str, ...]) -> dict[str, Any]:
    """Return a sample with another label; the class name follows, or is left out where it is not known."""
    changed = {key: value for key, value in fields.items() if key not in ("_label", *names_of("label")[1:])}
    changed["label"] = label
    if "_label" in fields and 0 <= label < len(names):
        changed["_label"] = names[label]
    return changed


def hides(dataset: Any, changed: str, part: str) -> bool:
    """Return whether ``part`` is the changed one by any of its names, or read together with it by a fused getter."""
    names = names_of(changed)
    groups = getattr(dataset, "fused", ())
    return part in names or any(part == "".join(group) for group in groups if set(group) & set(names))
