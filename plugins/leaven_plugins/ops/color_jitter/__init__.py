"""Plugin: brightness, contrast, saturation and hue, in a drawn order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.color_jitter.op import ColorJitter as ColorJitter


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:color_jitter``."""
    yield Component(
        "color_jitter",
        "leaven_plugins.ops.color_jitter.op:ColorJitter",
        "brightness, contrast, saturation and hue by factors, in a drawn order",
    )


def __getattr__(name: str) -> Any:
    if name == "ColorJitter":
        from leaven_plugins.ops.color_jitter.op import ColorJitter

        return ColorJitter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
