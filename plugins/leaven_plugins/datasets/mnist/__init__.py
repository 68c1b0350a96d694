"""Plugin: mnist, fashion_mnist."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.mnist.dataset import FashionMnist as FashionMnist
    from leaven_plugins.datasets.mnist.dataset import Mnist as Mnist


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:mnist``, ``dataset:fashion_mnist``."""
    yield Component("mnist", "leaven_plugins.datasets.mnist.dataset:Mnist", "handwritten digits, 28 x 28")
    yield Component(
        "fashion_mnist",
        "leaven_plugins.datasets.mnist.dataset:FashionMnist",
        "pictures of clothes, 28 x 28",
    )


_MODULES = {
    "Mnist": "dataset",
    "FashionMnist": "dataset",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
