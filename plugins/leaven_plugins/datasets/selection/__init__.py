"""Plugin: subset, percent, classes, class_subset, few_shot."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.selection.class_subset import ClassSubset as ClassSubset
    from leaven_plugins.datasets.selection.classes import Classes as Classes
    from leaven_plugins.datasets.selection.few_shot import FewShot as FewShot
    from leaven_plugins.datasets.selection.percent import Percent as Percent
    from leaven_plugins.datasets.selection.subset import Subset as Subset


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare what shows some samples of another dataset."""
    yield Component("subset", "leaven_plugins.datasets.selection.subset:Subset", "some samples, by positions or shares")
    yield Component("percent", "leaven_plugins.datasets.selection.percent:Percent", "a stretch, in percent")
    yield Component("classes", "leaven_plugins.datasets.selection.classes:Classes", "samples of some classes")
    yield Component(
        "class_subset",
        "leaven_plugins.datasets.selection.class_subset:ClassSubset",
        "a stretch of each class",
    )
    yield Component("few_shot", "leaven_plugins.datasets.selection.few_shot:FewShot", "so many samples of each class")


_MODULES = {
    "Subset": "subset",
    "Percent": "percent",
    "Classes": "classes",
    "ClassSubset": "class_subset",
    "FewShot": "few_shot",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
