"""Plugin: brightness, contrast and saturation by factors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.factors.op import Brighten as Brighten
    from leaven_plugins.ops.factors.op import ContrastFactor as ContrastFactor
    from leaven_plugins.ops.factors.op import Saturate as Saturate

_ROOM = "leaven_plugins.ops.factors.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:brighten``, ``op:contrast_factor`` and ``op:saturate``."""
    yield Component("brighten", f"{_ROOM}:Brighten", "values times a factor")
    yield Component("contrast_factor", f"{_ROOM}:ContrastFactor", "distances from the mean brightness times a factor")
    yield Component("saturate", f"{_ROOM}:Saturate", "distances from grey times a factor")


def __getattr__(name: str) -> Any:
    if name in ("Brighten", "ContrastFactor", "Saturate"):
        from leaven_plugins.ops.factors import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
