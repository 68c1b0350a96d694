"""Plugin: noise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.ops.noise.op import NoiseOther as NoiseOther
    from leaven_plugins.ops.noise.op import NoiseRGB as NoiseRGB


@hookimpl
def leaven_ops() -> Iterable[Component]:
    """Declare ``op:noise_rgb`` and ``op:noise_other``."""
    yield Component("noise_rgb", "leaven_plugins.ops.noise.op:NoiseRGB", "noise as of a camera: green has half of it")
    yield Component("noise_other", "leaven_plugins.ops.noise.op:NoiseOther", "the same noise in every channel")


def __getattr__(name: str) -> Any:
    if name in ("NoiseOther", "NoiseRGB"):
        from leaven_plugins.ops.noise import op

        return getattr(op, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
