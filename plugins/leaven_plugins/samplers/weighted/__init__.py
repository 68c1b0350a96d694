"""Plugin: samples by chance, by weights or classes."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.weighted.balanced import ClassBalanced as ClassBalanced
    from leaven_plugins.samplers.weighted.sampler import Weighted as Weighted


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:weighted``, ``sampler:class_balanced``."""
    yield Component(
        "weighted",
        "leaven_plugins.samplers.weighted.sampler:Weighted",
        "samples by chance, each as often as its weight says",
    )
    yield Component(
        "class_balanced",
        "leaven_plugins.samplers.weighted.balanced:ClassBalanced",
        "samples by chance, each class as often as the others",
    )


_MODULES = {
    "Weighted": "sampler",
    "ClassBalanced": "balanced",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
