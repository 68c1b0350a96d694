"""Plugin: cross entropy with smoothed labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.label_smoothing.loss import LabelSmoothing as LabelSmoothing


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:label_smoothing``."""
    yield Component(
        "label_smoothing",
        "leaven_plugins.losses.label_smoothing.loss:LabelSmoothing",
        "cross entropy of logits, with a share of every label spread over all classes",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "LabelSmoothing":
        from leaven_plugins.losses.label_smoothing.loss import LabelSmoothing

        return LabelSmoothing
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
