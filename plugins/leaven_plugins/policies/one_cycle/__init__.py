"""Plugin: up and down once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.one_cycle.policy import OneCycle as OneCycle


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:one_cycle``."""
    yield Component("one_cycle", "leaven_plugins.policies.one_cycle.policy:OneCycle", "up, then down to almost nothing")


def __getattr__(name: str) -> Any:
    if name == "OneCycle":
        from leaven_plugins.policies.one_cycle.policy import OneCycle

        return OneCycle
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
