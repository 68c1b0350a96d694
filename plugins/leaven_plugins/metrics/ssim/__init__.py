"""Plugin: structural similarity."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.metrics.ssim.metric import SSIM as SSIM
    from leaven_plugins.metrics.ssim.metric import GlobalSSIM as GlobalSSIM


@hookimpl
def leaven_metrics() -> Iterable[Component]:
    """Declare ``metric:ssim`` and ``metric:ssim_global``."""
    yield Component(
        "ssim",
        "leaven_plugins.metrics.ssim.metric:SSIM",
        "structural similarity within a sliding window",
        extra="leaven[torch]",
    )
    yield Component(
        "ssim_global",
        "leaven_plugins.metrics.ssim.metric:GlobalSSIM",
        "structural similarity of whole images",
        extra="leaven[torch]",
    )


_CLASSES = ("GlobalSSIM", "SSIM")


def __getattr__(name: str) -> Any:
    if name in _CLASSES:
        from leaven_plugins.metrics.ssim import metric

        return getattr(metric, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
