"""Plugin: borders around an image."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.pad.op import Pad as Pad


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:pad``."""
    yield Component("pad", "leaven_plugins.ops.pad.op:Pad", "borders around the image")


def __getattr__(name: str) -> Any:
    if name == "Pad":
        from leaven_plugins.ops.pad.op import Pad

        return Pad
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
