"""Plugin: polynomial decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.poly.policy import Poly as Poly


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:poly``."""
    yield Component("poly", "leaven_plugins.policies.poly.policy:Poly", "base * (1 - epoch / num_epochs) ** power")


def __getattr__(name: str) -> Any:
    if name == "Poly":
        from leaven_plugins.policies.poly.policy import Poly

        return Poly
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
