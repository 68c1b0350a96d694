"""Plugin: VGG networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.vgg.vggs import VGG11 as VGG11
    from leaven_plugins.models.vgg.vggs import VGG16 as VGG16


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:vgg11`` and ``model:vgg16``."""
    yield Component("vgg11", "leaven_plugins.models.vgg.vggs:VGG11", "VGG network of 11 layers", extra="leaven[torch]")
    yield Component("vgg16", "leaven_plugins.models.vgg.vggs:VGG16", "VGG network of 16 layers", extra="leaven[torch]")


_CLASSES = ("VGG11", "VGG16")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from leaven_plugins.models.vgg import vggs

        return getattr(vggs, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
