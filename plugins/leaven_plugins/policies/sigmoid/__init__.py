"""Plugin: sigmoid decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.sigmoid.policy import Sigmoid as Sigmoid


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:sigmoid``."""
    yield Component(
        "sigmoid",
        "leaven_plugins.policies.sigmoid.policy:Sigmoid",
        "base / (1 + exp(q * (2 * epoch / num_epochs - 1)))",
    )


def __getattr__(name: str) -> Any:
    if name == "Sigmoid":
        from leaven_plugins.policies.sigmoid.policy import Sigmoid

        return Sigmoid
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
