"""ModeView: a dataset as a sequence of the parts that a mode names, such as ``"x class"``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from leaven.data.getters import content, field, getter, has_getter, names_of
from leaven.data.lazy import lazy, state
from leaven.data.view import checked, layers, title
from leaven.errors import LeavenError, ParameterError, listing, suggestion

if TYPE_CHECKING:
    from leaven.protocols import Dataset

_CTX = "ctx."


class NotInContext(LeavenError, KeyError):
    """A mode asks for what no earlier part has put into the context."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, eq=False)
class ModeView:
    """A dataset as a sequence, as torch's ``DataLoader`` takes it, of only those parts of samples that are needed.

    ``view[i]`` is the value where the mode has one name, and a tuple in the order of the mode where it has several; for
    a slice or a list of positions it is a list of these. Each part is read as the dataset can read it alone: labels
    without their images. Parts that it cannot read alone are taken from the sample, which is then read once.

    As a dataset for a loader it has :meth:`sample`, with the parts under their names.

    Args:
        dataset: the dataset.
        mode: names of parts, with spaces between: those of getters and of fields; ``x`` is another name for ``image``,
            ``class`` and ``y`` for ``label``. ``index`` is the position; ``ctx.NAME`` what a part before it has put
            into the sample's context under that name.
        return_ctx: whether the context comes too: ``(items, ctx)``, a new dict for each sample.

    Raises:
        ParameterError: there are no names, or the dataset has no such part. To find that out, the first sample is read
            if there is no getter.
    """

    dataset: Dataset
    mode: str
    return_ctx: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.mode, str) or not self.mode.split():
            raise ParameterError(f"mode {self.mode!r}: expected names, such as 'x class'")
        self._steps  # noqa: B018 - what is wrong with it is told now

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.dataset)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int]) -> list[Any]: ...
    def __getitem__(self, index: Any) -> Any:
        """Return what the mode says of one sample, or a list of it.

        Raises:
            IndexError: there is no such sample; negative positions count from the end.
            NotInContext: nothing has put a value into the context.
        """
        if isinstance(index, slice):
            return [self._read(position) for position in range(*index.indices(len(self)))]
        if isinstance(index, Sequence) or getattr(index, "ndim", 0) == 1:
            return [self._read(checked(one, len(self), self.dataset)) for one in index]
        return self._read(checked(index, len(self), self.dataset))

    def __getitems__(self, indices: Sequence[int]) -> list[Any]:
        """Return the same for each of several positions, in one call."""
        return self[list(indices)]

    def __iter__(self) -> Iterator[Any]:
        return map(self._read, range(len(self)))

    def sample(self, index: int) -> Mapping[str, Any]:
        """Return a sample with ``key`` and the parts of the mode; raises as for positions."""
        position = checked(index, len(self), self.dataset)
        return {"key": self.key(position), **dict(zip(self.mode.split(), self._items(position)[0], strict=True))}

    def key(self, index: int) -> str:
        """Return the unique name of a sample."""
        return self.dataset.key(index)

    def close(self) -> None:
        """Close the dataset; the next access opens it again."""
        self.dataset.close()

    def __getstate__(self) -> dict[str, Any]:
        return state(self)

    def _read(self, position: int) -> Any:
        items, ctx = self._items(position)
        shown = items[0] if len(items) == 1 else tuple(items)
        return (shown, ctx) if self.return_ctx else shown

    def _items(self, position: int) -> tuple[list[Any], dict[str, Any] | None]:
        ctx: dict[str, Any] | None = {} if self._needs_ctx else None
        items: list[Any] = [None] * len(self.mode.split())
        whole = None
        for step in self._steps:
            if step.get is None:
                whole = content(self.dataset, position) if whole is None else whole
                items[step.places[0]] = field(whole, step.name, position)
            elif len(step.places) == 1:
                items[step.places[0]] = step.get(position, ctx)
            else:
                for place, value in zip(step.places, step.get(position, ctx), strict=True):
                    items[place] = value
        return items, ctx

    @lazy
    def _needs_ctx(self) -> bool:
        return self.return_ctx or any(name.startswith(_CTX) for name in self.mode.split())

    @lazy
    def _steps(self) -> list[_Step]:
        names = self.mode.split()
        fused = _fused(self.dataset, names)
        taken = {place for step in fused for place in step.places}
        single = [_step(self.dataset, name, place) for place, name in enumerate(names) if place not in taken]
        return sorted([*fused, *single], key=lambda step: min(step.places))


class _Step(NamedTuple):
    """What is read at once: which places of the items it fills. ``get`` is ``None`` for a field of the sample."""

    name: str
    places: tuple[int, ...]
    get: Callable[[int, dict[str, Any] | None], Any] | None


def _step(dataset: Any, name: str, place: int) -> _Step:
    if name == "index":
        return _Step(name, (place,), lambda position, ctx: position)
    if name.startswith(_CTX) and len(name) > len(_CTX):
        return _Step(name, (place,), _from_context(name))
    if has_getter(dataset, name):
        return _Step(name, (place,), getter(dataset, name))
    if len(dataset) and not any(known in content(dataset, 0) for known in names_of(name)):
        known = _known(dataset)
        raise ParameterError(
            f"{title(dataset)} has no part {name!r}{suggestion(name, known)}; it has: {listing(known)}"
        )
    return _Step(name, (place,), None)


def _from_context(name: str) -> Callable[[int, dict[str, Any] | None], Any]:
    key = name.removeprefix(_CTX)

    def get(position: int, ctx: dict[str, Any] | None) -> Any:
        if key not in (ctx or {}):
            raise NotInContext(
                f"{name}: no part that stands before it has put {key!r} into the context of sample {position}; "
                f"it has: {listing(ctx or {})}"
            )
        return (ctx or {})[key]

    return get


def _fused(dataset: Any, names: Sequence[str]) -> list[_Step]:
    """Return the groups of parts that the dataset reads together, as far as the mode has all of a group."""
    steps: list[_Step] = []
    left = list(enumerate(names))
    for group in getattr(dataset, "fused", ()):
        places = [next((place for place, name in left if name in names_of(part)), None) for part in group]
        if None not in places and len(set(places)) == len(places):
            filled = tuple(place for place in places if place is not None)
            left = [(place, name) for place, name in left if place not in filled]
            steps.append(_Step(" ".join(group), filled, getattr(dataset, "getitem_" + "".join(group))))
    return steps


def _known(dataset: Any) -> set[str]:
    """Return the parts that a dataset has."""
    own = {name[8:] for layer in layers(dataset) for name in dir(layer) if name.startswith("getitem_")}
    fields = content(dataset, 0) if len(dataset) else {}
    return {"index", *(name for name in own if has_getter(dataset, name)), *map(str, fields)}


def has_item(mode: str, name: str) -> bool:
    """Return whether a mode has a name."""
    return name in mode.split()


def add_item(mode: str, name: str) -> str:
    """Return the mode with a name at its end, unless it has it."""
    return mode if has_item(mode, name) else f"{mode} {name}".strip()


def item_index(mode: str, name: str) -> int:
    """Return the place of a name in a mode.

    Raises:
        ParameterError: it does not have it.
    """
    names = mode.split()
    if name not in names:
        raise ParameterError(f"mode {mode!r} has no {name!r}{suggestion(name, names)}")
    return names.index(name)


def get_item(mode: str, name: str, items: Any) -> Any:
    """Return one part of what a :class:`ModeView` has given, or of a batch of it; raises as :func:`item_index`."""
    place = item_index(mode, name)
    return items if len(mode.split()) == 1 else items[place]


def set_item(mode: str, name: str, items: Any, value: Any) -> Any:
    """Return the same with another value for one part; raises as :func:`item_index`."""
    place = item_index(mode, name)
    if len(mode.split()) == 1:
        return value
    return type(items)([*items[:place], value, *items[place + 1 :]])
