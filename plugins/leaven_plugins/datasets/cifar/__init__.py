"""Plugin: cifar10, cifar100."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.cifar.dataset import Cifar10 as Cifar10
    from leaven_plugins.datasets.cifar.dataset import Cifar100 as Cifar100


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:cifar10``, ``dataset:cifar100``."""
    yield Component("cifar10", "leaven_plugins.datasets.cifar.dataset:Cifar10", "pictures of 10 classes, 32 x 32")
    yield Component("cifar100", "leaven_plugins.datasets.cifar.dataset:Cifar100", "pictures of 100 classes, 32 x 32")


_MODULES = {
    "Cifar10": "dataset",
    "Cifar100": "dataset",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
