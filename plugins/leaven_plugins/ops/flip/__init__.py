"""Plugin: mirrored images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.flip.op import Flip as Flip


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:flip``."""
    yield Component("flip", "leaven_plugins.ops.flip.op:Flip", "left and right, or top and bottom, exchanged")


def __getattr__(name: str) -> Any:
    if name == "Flip":
        from leaven_plugins.ops.flip.op import Flip

        return Flip
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
