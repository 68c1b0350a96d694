"""Plugin: stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.optimizers.sgd.optimizer import SGD as SGD


@hookimpl
def leaven_optimizers() -> Iterable[Component]:
    """Declare ``optimizer:sgd``."""
    yield Component(
        "sgd",
        "leaven_plugins.optimizers.sgd.optimizer:SGD",
        "stochastic gradient descent with momentum",
        extra="leaven[torch]",
    )


def __getattr__(name: str) -> Any:
    if name == "SGD":
        from leaven_plugins.optimizers.sgd.optimizer import SGD

        return SGD
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
