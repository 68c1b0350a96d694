"""Annotations: which kinds of components a parameter takes, from the protocols of :mod:`leaven.protocols` in its type.

Annotations are read and not evaluated: they may name types of packages that are not installed, or that are imported for
type checkers only.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, ForwardRef, NamedTuple, Union, get_args, get_origin

from leaven.kinds import kind_of_protocol

_UNIONS = frozenset({"Union", "Optional", "Annotated"})
_SEQUENCES = frozenset({"Sequence", "Iterable", "Collection", "list", "List", "tuple", "Tuple"})


class Taken(NamedTuple):
    """A kind of component that a parameter takes; ``many`` where it takes a sequence of them."""

    kind: str
    many: bool


def components_taken(annotation: Any, scope: Mapping[str, Any]) -> tuple[Taken, ...]:
    """Return the kinds of components that a parameter of this annotation takes; none for a plain value.

    Args:
        annotation: the annotation, as text or as an object.
        scope: the global names of the module that it stands in.
    """
    return tuple(dict.fromkeys(_within(annotation, scope, many=False)))


def _within(annotation: Any, scope: Mapping[str, Any], many: bool) -> Iterator[Taken]:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        yield from _within_text(annotation, scope, many)
        return
    origin = get_origin(annotation)
    if origin is None:
        yield from _of_object(annotation, many)
    elif origin in (Union, UnionType, Annotated) or getattr(origin, "__name__", "") in _SEQUENCES:
        inner = get_args(annotation)[:1] if origin is Annotated else get_args(annotation)
        for part in inner:
            yield from _within(part, scope, many or origin not in (Union, UnionType, Annotated))


def _within_text(text: str, scope: Mapping[str, Any], many: bool) -> Iterator[Taken]:
    try:
        yield from _within_node(ast.parse(text.strip(), mode="eval").body, scope, many)
    except SyntaxError:  # an annotation may be any text; such a one names no protocol
        return


def _within_node(node: ast.expr, scope: Mapping[str, Any], many: bool) -> Iterator[Taken]:
    if isinstance(node, (ast.Name, ast.Attribute)):
        yield from _of_name(ast.unparse(node), scope, many)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _within_text(node.value, scope, many)
    elif isinstance(node, ast.BinOp):
        yield from _within_node(node.left, scope, many)
        yield from _within_node(node.right, scope, many)
    elif isinstance(node, ast.Subscript):
        outer = ast.unparse(node.value).rpartition(".")[2]
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if outer in _UNIONS or outer in _SEQUENCES:
            for part in parts[:1] if outer == "Annotated" else parts:
                yield from _within_node(part, scope, many or outer in _SEQUENCES)


def _of_name(name: str, scope: Mapping[str, Any], many: bool) -> Iterator[Taken]:
    """Follow a dotted name; one that is not there at run time is taken for ours by its looks."""
    first, *rest = name.split(".")
    if first in scope:
        found = scope[first]
        for part in rest:
            found = getattr(found, part, None)
        yield from _of_object(found, many)
    elif not rest or "leaven" in (first, rest[0]) or first == "protocols":
        kind = kind_of_protocol(name.rpartition(".")[2])
        if kind:
            yield Taken(kind, many)


def _of_object(found: Any, many: bool) -> Iterator[Taken]:
    """Other packages have classes called Dataset and Logger: only ours count."""
    if str(getattr(found, "__module__", "")).partition(".")[0] == "leaven":
        kind = kind_of_protocol(getattr(found, "__name__", ""))
        if kind:
            yield Taken(kind, many)
