"""Plugin: mean squared difference, as a loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.mse.loss import MSE as MSE


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:mse``."""
    yield Component(
        "mse",
        "leaven_plugins.losses.mse.loss:MSE",
        "mean squared difference of output and target",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "MSE":
        from leaven_plugins.losses.mse.loss import MSE

        return MSE
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
