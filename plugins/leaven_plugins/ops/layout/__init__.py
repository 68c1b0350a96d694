"""Plugin: values and axes as networks take them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.layout.op import ToCHW as ToCHW
    from leaven_plugins.ops.layout.op import ToFloat as ToFloat
    from leaven_plugins.ops.layout.op import Whiten as Whiten

_ROOM = "leaven_plugins.ops.layout.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:to_float``, ``op:whiten`` and ``op:to_chw``."""
    yield Component("to_float", f"{_ROOM}:ToFloat", "float32 within 0 and 1")
    yield Component("whiten", f"{_ROOM}:Whiten", "minus the mean, divided by the standard deviation")
    yield Component("to_chw", f"{_ROOM}:ToCHW", "channels first")


def __getattr__(name: str) -> Any:
    if name in ("ToCHW", "ToFloat", "Whiten"):
        from leaven_plugins.ops.layout import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
