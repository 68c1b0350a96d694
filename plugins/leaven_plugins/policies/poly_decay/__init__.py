"""Plugin: polynomial decay with a floor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.poly_decay.policy import PolyDecay as PolyDecay


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:poly_decay``."""
    yield Component(
        "poly_decay", "leaven_plugins.policies.poly_decay.policy:PolyDecay", "polynomial decay that ends at a cut-off"
    )


def __getattr__(name: str) -> Any:
    if name == "PolyDecay":
        from leaven_plugins.policies.poly_decay.policy import PolyDecay

        return PolyDecay
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
