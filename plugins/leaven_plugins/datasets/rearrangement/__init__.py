"""Plugin: shuffle, sort_by_class, shuffle_within_classes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.rearrangement.shuffle import Shuffle as Shuffle
    from leaven_plugins.datasets.rearrangement.sort_by_class import SortByClass as SortByClass
    from leaven_plugins.datasets.rearrangement.within import ShuffleWithinClasses as ShuffleWithinClasses


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:shuffle``, ``dataset:sort_by_class``, ``dataset:shuffle_within_classes``."""
    yield Component("shuffle", "leaven_plugins.datasets.rearrangement.shuffle:Shuffle", "one order of chance, for good")
    yield Component(
        "sort_by_class",
        "leaven_plugins.datasets.rearrangement.sort_by_class:SortByClass",
        "samples by their class",
    )
    yield Component(
        "shuffle_within_classes",
        "leaven_plugins.datasets.rearrangement.within:ShuffleWithinClasses",
        "an order of chance within each class",
    )


_MODULES = {
    "Shuffle": "shuffle",
    "SortByClass": "sort_by_class",
    "ShuffleWithinClasses": "within",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
