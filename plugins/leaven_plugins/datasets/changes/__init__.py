"""Plugin: map, one_hot, label_smoothing, multi_view."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.changes.label_smoothing import LabelSmoothing as LabelSmoothing
    from leaven_plugins.datasets.changes.map import Map as Map
    from leaven_plugins.datasets.changes.multi_view import MultiView as MultiView
    from leaven_plugins.datasets.changes.one_hot import OneHot as OneHot


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:map``, ``dataset:one_hot``, ``dataset:label_smoothing``, ``dataset:multi_view``."""
    yield Component("map", "leaven_plugins.datasets.changes.map:Map", "samples changed by a function")
    yield Component("one_hot", "leaven_plugins.datasets.changes.one_hot:OneHot", "labels as vectors")
    yield Component(
        "label_smoothing",
        "leaven_plugins.datasets.changes.label_smoothing:LabelSmoothing",
        "labels as vectors that are less sure",
    )
    yield Component(
        "multi_view",
        "leaven_plugins.datasets.changes.multi_view:MultiView",
        "several views of each sample",
    )


_MODULES = {
    "Map": "map",
    "OneHot": "one_hot",
    "LabelSmoothing": "label_smoothing",
    "MultiView": "multi_view",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
