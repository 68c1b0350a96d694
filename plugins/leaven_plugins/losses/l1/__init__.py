"""Plugin: mean absolute difference."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.losses.l1.loss import L1 as L1


@hookimpl
def leaven_losses() -> Iterable[Component]:
    """Declare ``loss:l1``."""
    yield Component(
        "l1", "leaven_plugins.losses.l1.loss:L1", "mean absolute difference of output and target", extra="leaven[torch]"
    )


def __getattr__(name: str) -> Any:
    if name == "L1":
        from leaven_plugins.losses.l1.loss import L1

        return L1
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
