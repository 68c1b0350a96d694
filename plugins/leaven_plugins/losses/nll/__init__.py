"""Plugin: negative log likelihood."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.nll.loss import NLL as NLL


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:nll``."""
    yield Component(
        "nll",
        "leaven_plugins.losses.nll.loss:NLL",
        "negative log likelihood of log probabilities",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "NLL":
        from leaven_plugins.losses.nll.loss import NLL

        return NLL
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
