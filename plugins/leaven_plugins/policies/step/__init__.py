"""Plugin: steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.step.policy import Step as Step


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:step``."""
    yield Component("step", "leaven_plugins.policies.step.policy:Step", "times a factor every so many epochs")


def __getattr__(name: str) -> Any:
    if name == "Step":
        from leaven_plugins.policies.step.policy import Step

        return Step
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
