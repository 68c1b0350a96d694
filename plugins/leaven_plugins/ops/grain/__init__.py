"""Plugin: noise by its distribution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.grain.op import GaussianNoise as GaussianNoise
    from leaven_plugins.ops.grain.op import PoissonNoise as PoissonNoise

_ROOM = "leaven_plugins.ops.grain.op"


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:gaussian_noise`` and ``op:poisson_noise``."""
    yield Component("gaussian_noise", f"{_ROOM}:GaussianNoise", "normal noise, the same for all values")
    yield Component("poisson_noise", f"{_ROOM}:PoissonNoise", "noise of counted photons, stronger where it is bright")


def __getattr__(name: str) -> Any:
    if name in ("GaussianNoise", "PoissonNoise"):
        from leaven_plugins.ops.grain import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
