"""Functions that change a value: given as such, by name, or as an op."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from leaven.errors import ParameterError
from leaven.protocols import ImageInfo
from leaven.registry.imports import import_named
from leaven_plugins.datasets.pictures import pixels_of

Change = Callable[[Any, np.random.Generator | None, dict[str, Any] | None], Any]
"""What is done to a value, given a source of chance where there is one, and where drawn parameters are put."""


def change_of(component: str, function: Any, seeded: bool) -> Change:
    """Return what a function does to a value.

    Args:
        component: the name for errors.
        function: a function of the value, which may have parameters ``random``, a generator, and ``ctx``, a dict or
            ``None``; its name as ``module:name``; an op; or a list of these, one after the other.
        seeded: whether there is a source of chance.

    Raises:
        ParameterError: it is something else, cannot be found, or needs a source of chance.
    """
    if isinstance(function, (list, tuple)):
        return _in_a_row([change_of(component, one, seeded) for one in function])
    found = import_named(function, component) if isinstance(function, str) else function
    if all(hasattr(found, name) for name in ("draw", "applies", "apply")) and not isinstance(found, type):
        _need_seed(component, found, seeded)
        return _of_op(found)
    if not callable(found):
        raise ParameterError(f"{component}: {function!r} is neither a function, the name of one, nor an op")
    takes = _parameters(found)
    if "random" in takes:
        _need_seed(component, found, seeded)

    def change(value: Any, random: np.random.Generator | None, ctx: dict[str, Any] | None) -> Any:
        given = {"random": random, "ctx": ctx}
        return found(value, **{name: given[name] for name in takes})

    return change


def _in_a_row(changes: list[Change]) -> Change:
    def change(value: Any, random: np.random.Generator | None, ctx: dict[str, Any] | None) -> Any:
        for one in changes:
            value = one(value, random, ctx)
        return value

    return change


def _of_op(op: Any) -> Change:
    """Return what draws an op's values, does it to an image, and puts them into the context."""

    def change(value: Any, random: np.random.Generator | None, ctx: dict[str, Any] | None) -> Any:
        image = pixels_of(value)
        height, width, channels = image.shape
        values: Mapping[str, Any] = op.draw(random, ImageInfo(height, width, channels))
        if ctx is not None:
            ctx.update(values)
        return op.apply(image, values, random) if op.applies(values) else image

    return change


def _parameters(function: Callable[..., Any]) -> list[str]:
    """Return which of ``random`` and ``ctx`` a function takes; some builtin ones do not tell, and take none."""
    try:
        known = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return []
    return [name for name in ("random", "ctx") if name in known]


def _need_seed(component: str, function: Any, seeded: bool) -> None:
    if not seeded:
        name = getattr(function, "__name__", type(function).__name__)
        raise ParameterError(f"{component}: {name} leaves something to chance: give a seed, such as seed=0")
