"""Plugin: fewer, or mirrored, levels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.levels.op import Posterize as Posterize
    from leaven_plugins.ops.levels.op import Solarize as Solarize

_ROOM = "leaven_plugins.ops.levels.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:solarize`` and ``op:posterize``."""
    yield Component("solarize", f"{_ROOM}:Solarize", "what is bright becomes its negative")
    yield Component("posterize", f"{_ROOM}:Posterize", "fewer bits for each value")


def __getattr__(name: str) -> Any:
    if name in ("Posterize", "Solarize"):
        from leaven_plugins.ops.levels import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
