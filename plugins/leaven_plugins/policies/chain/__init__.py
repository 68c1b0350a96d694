"""Plugin: one policy after another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.chain.policy import Chain as Chain


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:chain``."""
    yield Component("chain", "leaven_plugins.policies.chain.policy:Chain", "other policies, one after the other")


def __getattr__(name: str) -> Any:
    if name == "Chain":
        from leaven_plugins.policies.chain.policy import Chain

        return Chain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
