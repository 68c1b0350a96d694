"""Plugin: traces of lossy compression."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.compression.op import Jpeg as Jpeg
    from leaven_plugins.ops.compression.op import Webp as Webp

_ROOM = "leaven_plugins.ops.compression.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:jpeg`` and ``op:webp``."""
    yield Component("jpeg", f"{_ROOM}:Jpeg", "through a JPEG file of drawn quality")
    yield Component("webp", f"{_ROOM}:Webp", "through a WebP file of drawn quality")


def __getattr__(name: str) -> Any:
    if name in ("Jpeg", "Webp"):
        from leaven_plugins.ops.compression import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
