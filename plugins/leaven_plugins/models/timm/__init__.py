"""Plugin: networks of timm."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.models.timm.model import Timm as Timm


@hookimpl
def leaven_models() -> Iterable[Component]:
    """Declare ``model:timm``."""
    yield Component(
        "timm", "leaven_plugins.models.timm.model:Timm", "any network of the package timm", extra="leaven[timm]"
    )


def __getattr__(name: str) -> Any:
    if name == "Timm":
        from leaven_plugins.models.timm.model import Timm

        return Timm
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
