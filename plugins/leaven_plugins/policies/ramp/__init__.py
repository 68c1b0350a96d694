"""Plugin: linear rise."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.ramp.policy import Ramp as Ramp


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:ramp``."""
    yield Component("ramp", "leaven_plugins.policies.ramp.policy:Ramp", "a straight line from 0 to the base value")


def __getattr__(name: str) -> Any:
    if name == "Ramp":
        from leaven_plugins.policies.ramp.policy import Ramp

        return Ramp
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
