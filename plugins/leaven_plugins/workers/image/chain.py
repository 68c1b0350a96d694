"""OpChain: the pixel operations of a worker, run in the order that the draw asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from leaven.errors import ParameterError, listing, suggestion
from leaven.protocols import ImageInfo, Op
from leaven.stream.worker import Row

Image = NDArray[Any]


class _Link(NamedTuple):
    stream: str
    labels: frozenset[str]
    op: Op


class OpChain:
    """Ops, each with a stream of randomness of its own.

    A stream is named after the op's attribute ``name`` (or its class), so that it is the same in every process; a
    second op of the same name gets a number.

    Args:
        ops: in the order in which they run where a draw has no ``order``.

    Raises:
        ParameterError: an op changes the size of images.
    """

    def __init__(self, ops: Iterable[Op]) -> None:
        links: list[_Link] = []
        for op in ops:
            name = str(getattr(op, "name", type(op).__name__))
            if not getattr(op, "keeps_size", True):
                raise ParameterError(f"op {name!r} changes the size of an image: use it in Compose, not in a worker")
            earlier = sum(name in link.labels for link in links)
            links.append(_Link(f"{name}#{earlier + 1}" if earlier else name, frozenset((name, *op.keys)), op))
        self._links = tuple(links)

    def check_still(self, target: str) -> None:
        """Refuse ops that move what an image shows.

        Raises:
            ParameterError: ``target``, which goes with the image, would not follow one of them.
        """
        for link in self._links:
            if getattr(link.op, "geometric", False):
                name = link.stream.partition("#")[0]
                raise ParameterError(
                    f"op {name!r} moves the image, and {target} would not follow: draw hmirror, vmirror or angle"
                )

    def without(self, left: bool | Sequence[str]) -> OpChain:
        """Return the chain of those ops that are not left to somebody else.

        They keep their streams of randomness.

        Args:
            left: ``True`` for all ops, ``False`` for none, or their names.

        Raises:
            ParameterError: there is no op of this name, or ``left`` is something else.
        """
        names = {link.stream.partition("#")[0] for link in self._links}
        if not isinstance(left, bool):
            _check_names(left, names)
        taken = names if left is True else set(left or ())
        chain = OpChain(())
        chain._links = tuple(link for link in self._links if link.stream.partition("#")[0] not in taken)
        return chain

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of a draw that the ops read."""
        return tuple(key for link in self._links for key in link.op.keys)

    def draw(self, values: Mapping[str, Any], info: ImageInfo, row: Row) -> dict[str, Any]:
        """Return what those ops draw, and would apply, of whose keys there is none in ``values``."""
        found: dict[str, Any] = {}
        for link in self._links:
            if not any(key in values for key in link.op.keys):
                drawn = link.op.draw(row.random_for(f"{link.stream}.draw"), info)
                if link.op.applies(drawn):
                    found.update(drawn)
        return found

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Return whether any op would change an image with these values."""
        return any(link.op.applies(values) for link in self._links)

    def apply(self, image: Image, values: Mapping[str, Any], row: Row) -> Image:
        """Return the image after all ops that apply.

        They run in the order of ``values["order"]``: names of ops, or of keys that they read. Ops that it does not
        mention follow.
        """
        for link in self._ordered(values.get("order")):
            if link.op.applies(values):
                image = link.op.apply(image, values, row.random_for(link.stream))
        return image

    def _ordered(self, order: Sequence[str] | None) -> Sequence[_Link]:
        return [self._links[i] for i in in_order([link.labels for link in self._links], order)]


def in_order(labels: Sequence[frozenset[str]], order: Sequence[str] | None) -> Sequence[int]:
    """Return in which order ops run, as places in ``labels``.

    Args:
        labels: of each op: what it may be called in ``order``.
        order: names or keys of ops; those that it does not mention follow.
    """
    if not order:
        return range(len(labels))
    places = {label: place for place, label in reversed(list(enumerate(order)))}
    last = len(order)
    return sorted(range(len(labels)), key=lambda i: min(places.get(label, last) for label in labels[i]))


def _check_names(left: Any, names: set[str]) -> None:
    if isinstance(left, str) or not isinstance(left, Sequence):
        raise ParameterError(f"gpu_augmentation is {left!r}; it has to be true, false, or a list of names of ops")
    for name in left:
        if name not in names:
            there = f"the worker has: {listing(names)}"
            raise ParameterError(f"gpu_augmentation: no op {name!r}{suggestion(str(name), names)}; {there}")
