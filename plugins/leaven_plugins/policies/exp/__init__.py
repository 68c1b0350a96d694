"""Plugin: exponential decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from leaven import Component, hookimpl

if TYPE_CHECKING:
    from leaven_plugins.policies.exp.policy import Exp as Exp


@hookimpl
def leaven_policies() -> Iterable[Component]:
    """Declare ``policy:exp``."""
    yield Component("exp", "leaven_plugins.policies.exp.policy:Exp", "times a factor for each epoch")


def __getattr__(name: str) -> Any:
    if name == "Exp":
        from leaven_plugins.policies.exp.policy import Exp

        return Exp
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
