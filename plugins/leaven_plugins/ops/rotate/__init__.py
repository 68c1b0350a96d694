"""Plugin: turned images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.rotate.op import Rotate as Rotate


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:rotate``."""
    yield Component(
        "rotate", "leaven_plugins.ops.rotate.op:Rotate", "turns by a drawn angle, on a canvas that stays or holds all"
    )


def __getattr__(name: str) -> Any:
    if name == "Rotate":
        from leaven_plugins.ops.rotate.op import Rotate

        return Rotate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
