"""Plugin: cross entropy of logits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.cross_entropy.loss import CrossEntropy as CrossEntropy


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:cross_entropy``."""
    yield Component(
        "cross_entropy",
        "leaven_plugins.losses.cross_entropy.loss:CrossEntropy",
        "cross entropy of logits, and class numbers or shares of classes",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "CrossEntropy":
        from leaven_plugins.losses.cross_entropy.loss import CrossEntropy

        return CrossEntropy
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
