"""Plugin: random_labels, swap_labels, unlabelled, class_groups, random_superclasses, given_labels."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.relabelling.class_groups import ClassGroups as ClassGroups
    from leaven_plugins.datasets.relabelling.given_labels import GivenLabels as GivenLabels
    from leaven_plugins.datasets.relabelling.random_labels import RandomLabels as RandomLabels
    from leaven_plugins.datasets.relabelling.superclasses import RandomSuperclasses as RandomSuperclasses
    from leaven_plugins.datasets.relabelling.swap_labels import SwapLabels as SwapLabels
    from leaven_plugins.datasets.relabelling.unlabelled import Unlabelled as Unlabelled


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare what gives samples other labels."""
    yield Component(
        "random_labels",
        "leaven_plugins.datasets.relabelling.random_labels:RandomLabels",
        "labels of chance",
    )
    yield Component(
        "swap_labels",
        "leaven_plugins.datasets.relabelling.swap_labels:SwapLabels",
        "some labels exchanged by chance",
    )
    yield Component(
        "unlabelled",
        "leaven_plugins.datasets.relabelling.unlabelled:Unlabelled",
        "some samples without their label",
    )
    yield Component(
        "class_groups",
        "leaven_plugins.datasets.relabelling.class_groups:ClassGroups",
        "classes taken together in groups",
    )
    yield Component(
        "random_superclasses",
        "leaven_plugins.datasets.relabelling.superclasses:RandomSuperclasses",
        "classes of chance above the classes",
    )
    yield Component(
        "given_labels",
        "leaven_plugins.datasets.relabelling.given_labels:GivenLabels",
        "other labels, or those that a network gave",
    )


_MODULES = {
    "RandomLabels": "random_labels",
    "SwapLabels": "swap_labels",
    "Unlabelled": "unlabelled",
    "ClassGroups": "class_groups",
    "RandomSuperclasses": "superclasses",
    "GivenLabels": "given_labels",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
