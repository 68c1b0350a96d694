"""Plugin: residual networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.resnet.resnets import ResNet18 as ResNet18
    from leaven_plugins.models.resnet.resnets import ResNet34 as ResNet34
    from leaven_plugins.models.resnet.resnets import ResNet50 as ResNet50


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:resnet18``, ``model:resnet34`` and ``model:resnet50``."""
    yield Component(
        "resnet18",
        "leaven_plugins.models.resnet.resnets:ResNet18",
        "residual network of 18 layers",
        extra="leaven[torch]",
    )
    yield Component(
        "resnet34",
        "leaven_plugins.models.resnet.resnets:ResNet34",
        "residual network of 34 layers",
        extra="leaven[torch]",
    )
    yield Component(
        "resnet50",
        "leaven_plugins.models.resnet.resnets:ResNet50",
        "residual network of 50 layers",
        extra="leaven[torch]",
    )


_CLASSES = ("ResNet18", "ResNet34", "ResNet50")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from leaven_plugins.models.resnet import resnets

        return getattr(resnets, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
