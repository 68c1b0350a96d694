"""Plugin: hue and saturation as people see them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.hue.op import Hue as Hue
    from leaven_plugins.ops.hue.op import Saturation as Saturation

_ROOM = "leaven_plugins.ops.hue.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:hue`` and ``op:saturation``."""
    yield Component("hue", f"{_ROOM}:Hue", "turns all hues by an angle")
    yield Component("saturation", f"{_ROOM}:Saturation", "more or less colour, the brightest channel stays")


def __getattr__(name: str) -> Any:
    if name in ("Hue", "Saturation"):
        from leaven_plugins.ops.hue import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
