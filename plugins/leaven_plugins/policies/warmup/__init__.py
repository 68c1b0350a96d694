"""Plugin: a slow start of another policy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.warmup.policy import Warmup as Warmup


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:warmup``."""
    yield Component("warmup", "leaven_plugins.policies.warmup.policy:Warmup", "another policy, after a linear rise")


def __getattr__(name: str) -> Any:
    if name == "Warmup":
        from leaven_plugins.policies.warmup.policy import Warmup

        return Warmup
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
