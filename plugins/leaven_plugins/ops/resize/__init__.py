"""Plugin: other sizes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.resize.op import Resize as Resize


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:resize``."""
    yield Component("resize", "leaven_plugins.ops.resize.op:Resize", "another size, or another shorter side")


def __getattr__(name: str) -> Any:
    if name == "Resize":
        from leaven_plugins.ops.resize.op import Resize

        return Resize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
