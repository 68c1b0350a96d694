"""Plugin: colour images to grey ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.grayscale.op import Grayscale as Grayscale


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:grayscale``."""
    yield Component("grayscale", "leaven_plugins.ops.grayscale.op:Grayscale", "grey, with as many channels as before")


def __getattr__(name: str) -> Any:
    if name == "Grayscale":
        from leaven_plugins.ops.grayscale.op import Grayscale

        return Grayscale
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
