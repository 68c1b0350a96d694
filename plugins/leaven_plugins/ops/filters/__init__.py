"""Plugin: filters that sharpen or blur, in pixels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.filters.op import GaussianBlur as GaussianBlur
    from leaven_plugins.ops.filters.op import Sharpen as Sharpen
    from leaven_plugins.ops.filters.op import Sinc as Sinc

_ROOM = "leaven_plugins.ops.filters.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:sharpen``, ``op:gaussian_blur`` and ``op:sinc``."""
    yield Component("sharpen", f"{_ROOM}:Sharpen", "distances from a blurred image times a factor")
    yield Component("gaussian_blur", f"{_ROOM}:GaussianBlur", "Gaussian blur by a kernel's radius in pixels")
    yield Component("sinc", f"{_ROOM}:Sinc", "low-pass filter without a preferred direction, as resampling leaves it")


def __getattr__(name: str) -> Any:
    if name in ("GaussianBlur", "Sharpen", "Sinc"):
        from leaven_plugins.ops.filters import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
