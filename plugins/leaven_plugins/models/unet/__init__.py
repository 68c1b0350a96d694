"""Plugin: a small U-Net."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.unet.model import UNet as UNet


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:unet``."""
    yield Component(
        "unet", "leaven_plugins.models.unet.model:UNet", "a U-Net from images to maps of classes", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "UNet":
        from leaven_plugins.models.unet.model import UNet

        return UNet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
