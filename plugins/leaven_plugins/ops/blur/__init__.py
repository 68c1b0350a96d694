"""Plugin: blur."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.blur.op import Blur as Blur


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:blur``."""
    yield Component("blur", "leaven_plugins.ops.blur.op:Blur", "Gaussian blur, relative to the image's width")


def __getattr__(name: str) -> Any:
    if name == "Blur":
        from leaven_plugins.ops.blur.op import Blur

        return Blur
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
