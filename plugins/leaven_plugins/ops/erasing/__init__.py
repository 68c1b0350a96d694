"""Plugin: parts of an image taken away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.erasing.op import Cutout as Cutout
    from leaven_plugins.ops.erasing.op import Erasing as Erasing

_ROOM = "leaven_plugins.ops.erasing.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:erasing`` and ``op:cutout``."""
    yield Component("erasing", f"{_ROOM}:Erasing", "rectangles of drawn area and aspect, filled")
    yield Component("cutout", f"{_ROOM}:Cutout", "squares of one size, filled")


def __getattr__(name: str) -> Any:
    if name in ("Cutout", "Erasing"):
        from leaven_plugins.ops.erasing import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
