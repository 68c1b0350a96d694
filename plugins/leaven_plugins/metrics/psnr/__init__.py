"""Plugin: peak signal-to-noise ratio."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.psnr.metric import PSNR as PSNR


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:psnr``."""
    yield Component(
        "psnr",
        "leaven_plugins.metrics.psnr.metric:PSNR",
        "peak signal-to-noise ratio, in decibels",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "PSNR":
        from leaven_plugins.metrics.psnr.metric import PSNR

        return PSNR
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
