"""Plugin: concat, composite, choice."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.combination.choice import Choice as Choice
    from leaven_plugins.datasets.combination.composite import Composite as Composite
    from leaven_plugins.datasets.combination.concat import Concat as Concat


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:concat``, ``dataset:composite``, ``dataset:choice``."""
    yield Component(
        "concat",
        "leaven_plugins.datasets.combination.concat:Concat",
        "datasets one after the other, or by turns",
    )
    yield Component(
        "composite",
        "leaven_plugins.datasets.combination.composite:Composite",
        "samples of several datasets side by side",
    )
    yield Component(
        "choice",
        "leaven_plugins.datasets.combination.choice:Choice",
        "blocks of samples, each from one of several datasets",
    )


_MODULES = {
    "Concat": "concat",
    "Composite": "composite",
    "Choice": "choice",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
