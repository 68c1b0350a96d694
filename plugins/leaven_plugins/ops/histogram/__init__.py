"""Plugin: levels by what an image holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.histogram.op import Autocontrast as Autocontrast
    from leaven_plugins.ops.histogram.op import Equalize as Equalize

_ROOM = "leaven_plugins.ops.histogram.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:equalize`` and ``op:autocontrast``."""
    yield Component("equalize", f"{_ROOM}:Equalize", "every level as often as any other")
    yield Component("autocontrast", f"{_ROOM}:Autocontrast", "darkest level to black, brightest to white")


def __getattr__(name: str) -> Any:
    if name in ("Autocontrast", "Equalize"):
        from leaven_plugins.ops.histogram import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
