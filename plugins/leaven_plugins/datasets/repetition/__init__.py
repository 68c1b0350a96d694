"""Plugin: repeat, oversample."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.datasets.repetition.oversample import Oversample as Oversample
    from leaven_plugins.datasets.repetition.repeat import Repeat as Repeat


@hookimpl
def leaven_datasets() -> Iterable[Component]:
    """Declare ``dataset:repeat``, ``dataset:oversample``."""
    yield Component("repeat", "leaven_plugins.datasets.repetition.repeat:Repeat", "the same samples several times")
    yield Component(
        "oversample",
        "leaven_plugins.datasets.repetition.oversample:Oversample",
        "rare classes several times",
    )


_MODULES = {
    "Repeat": "repeat",
    "Oversample": "oversample",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
