"""Plugin: each class as often as the others, in every pass."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.samplers.balanced_epoch.sampler import BalancedEpoch as BalancedEpoch


@hookimpl
def leaven_samplers() -> Iterable[Component]:
    """Declare ``sampler:balanced_epoch``."""
    yield Component(
        "balanced_epoch",
        "leaven_plugins.samplers.balanced_epoch.sampler:BalancedEpoch",
        "each class as often as the others, in every pass",
    )


def __getattr__(name: str) -> Any:
    if name == "BalancedEpoch":
        from leaven_plugins.samplers.balanced_epoch.sampler import BalancedEpoch

        return BalancedEpoch
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
